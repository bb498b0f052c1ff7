// run_study as a person uses it: a study, its report, what is left when something goes wrong.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

class StudyCommand : public testing::Test {
 protected:
  StudyCommand() {
    write_small_run(folder / "mlp.yaml", "mlp");
    write_small_run(folder / "cnn.yaml", "cnn");
    write_study("base: mlp.yaml\naxes: {regularisation.l2: [0, 1e-3]}\nseeds: [0, 1]\n");
  }
  void write_study(const std::string& rest) { write_file(folder / "study.yaml", "study: small\n" + rest); }
  Outcome run(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {command("run_study"), "study.yaml"});
    return run_process(arguments, {.folder = folder.path()});
  }
  /// The folders that the study's runs will have.
  std::vector<std::string> run_folders() {
    EXPECT_EQ(run({"--out", "probe"}).status, 0);
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder / "probe/runs"))
      out.push_back(entry.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }
  static bool has(const std::string& text, std::string_view words) { return text.find(words) != text.npos; }
  TemporaryFolder folder;
};

TEST_F(StudyCommand, EndsInAReportAndRepeatsNothing) {
  const auto planned = run({"--list"});
  EXPECT_EQ(planned.status, 0) << planned.err;
  EXPECT_TRUE(has(planned.out, "4 runs of 2 configurations, 0 finished")) << planned.out;
  EXPECT_TRUE(has(planned.out, "small_mlp l2=1e-3 seed=1")) << planned.out;
  EXPECT_FALSE(fs::exists(folder / "runs")) << "a list leaves nothing";

  const auto first = run();
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(last_line(first.out), "report: runs/small/report.html");
  EXPECT_EQ(line_count(first.out), 1u);
  EXPECT_TRUE(has(first.err, "4 of 4 runs to do")) << first.err;
  EXPECT_TRUE(has(first.err, "[4/4] ")) << first.err;
  const auto page = read_file(folder / "runs/small/report.html");
  EXPECT_TRUE(has(page, "small"));
  for (const auto* table : {"report.csv", "report.md"})
    EXPECT_TRUE(fs::is_regular_file(folder / "runs/small" / table)) << table;

  const auto second = run();
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_FALSE(has(second.err, "to do")) << second.err;
  EXPECT_EQ(read_file(folder / "runs/small/report.html"), page);
  EXPECT_TRUE(has(run({"--list"}).out, "4 runs of 2 configurations, 4 finished"));

  // Another seed is two runs more, and what was finished stays.
  const auto more = run({"--seeds", "0,1,2"});
  EXPECT_EQ(more.status, 0) << more.err;
  EXPECT_TRUE(has(more.err, "2 of 6 runs to do")) << more.err;
  EXPECT_NE(read_file(folder / "runs/small/report.html"), page);
}

TEST_F(StudyCommand, TasksShareTheWorkAndTheLastOneWritesTheReport) {
  const auto first = run({"--task", "2/2", "--out", "array"});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(first.out, "");
  EXPECT_TRUE(has(first.err, "2 are left to other tasks")) << first.err;
  EXPECT_FALSE(fs::exists(folder / "array/report.html"));
  const auto rest = run({"--task", "1/2", "--out", "array"});
  EXPECT_EQ(rest.status, 0) << rest.err;
  EXPECT_EQ(last_line(rest.out), "report: array/report.html");
  EXPECT_TRUE(fs::exists(folder / "array/report.html"));
  for (const auto* task : {"0/2", "3/2", "1", "1/0", "a/b", "1/2x"}) {
    const auto wrong = run({"--task", task});
    EXPECT_EQ(wrong.status, 2) << task;
    EXPECT_EQ(line_count(wrong.err), 1u) << wrong.err;
  }
}

TEST_F(StudyCommand, AFailedRunIsToldAtOnceAndTheOthersGoOn) {
  const auto folders = run_folders();
  ASSERT_EQ(folders.size(), 4u);
  // A file where a run's folder should be.
  fs::create_directories(folder / "out/runs");
  write_file(folder / "out/runs" / folders[0], "in the way");
  const auto o = run({"--out", "out", "--jobs", "1"});
  EXPECT_EQ(o.status, 1) << o.err;
  EXPECT_EQ(last_line(o.out), "report: out/report.html");
  EXPECT_TRUE(has(o.err, "FAILED: ")) << o.err;
  EXPECT_TRUE(has(o.err, "3 of 4 runs finished")) << o.err;
  fs::remove(folder / "out/runs" / folders[0]);
  const auto again = run({"--out", "out"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_TRUE(has(again.err, "1 of 4 runs to do")) << again.err;
}

TEST_F(StudyCommand, AFailedRunEndsTheStudyIfItIsToldTo) {
  const auto folders = run_folders();
  write_study("base: mlp.yaml\naxes: {regularisation.l2: [0, 1e-3]}\nseeds: [0, 1]\non_error: stop\n");
  fs::create_directories(folder / "out/runs");
  write_file(folder / "out/runs" / folders[0], "in the way");  // l2=0, seed 0: the first
  const auto o = run({"--out", "out", "--jobs", "1"});
  EXPECT_EQ(o.status, 2) << o.err;
  EXPECT_FALSE(has(o.err, "[2/4]")) << o.err;
  EXPECT_TRUE(has(o.err, "no run has finished")) << o.err;
}

TEST_F(StudyCommand, ARandomSearchIsComparedWithItsBase) {
  write_study(
      "base: mlp.yaml\naxes: {regularisation.l2: {log_uniform: [1e-5, 1e-2]}}\nsearch: {random: {runs: "
      "2}}\nseeds: [0, 1]\n");
  const auto o = run();
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(has(o.err, "6 of 6 runs to do")) << o.err;
  const auto page = read_file(folder / "runs/small/report.md");
  EXPECT_TRUE(has(page, "3 configurations were compared")) << page;
  EXPECT_FALSE(has(page, "No reference")) << page;
  std::istringstream table(read_file(folder / "runs/small/report.csv"));
  std::string line;
  std::vector<std::string> references;
  while (std::getline(table, line))
    if (has(line, ",\"l2 0\",") || has(line, ",l2 0,")) references.push_back(line);
  ASSERT_EQ(references.size(), 1u);
  EXPECT_TRUE(has(references[0], ",l2 0,synthetic,0,0,1,1,0,") ||
              has(references[0], ",l2 0,synthetic,0,1,1,1,0,"))
      << references[0];
}

TEST_F(StudyCommand, ASplitIsDescribedNotChosen) {
  write_study(
      "base: mlp.yaml\nset: {dataset.synthetic.clip_seconds: 9}\naxes: {split.group_by: [segment, "
      "clip]}\nseeds: [0, 1]\n");
  const auto o = run();
  EXPECT_EQ(o.status, 0) << o.err;
  const auto page = read_file(folder / "runs/small/report.md");
  EXPECT_TRUE(has(page, "No configuration was selected")) << page;
  EXPECT_TRUE(has(page, "Ranked apart: small\\_mlp (group\\_by segment) and small\\_mlp (group\\_by clip)"))
      << page;
  EXPECT_TRUE(has(page, "under several split.group\\_by gets ")) << page;
  EXPECT_TRUE(has(page, "not compared: ")) << page;
}

TEST_F(StudyCommand, FoldsAreOneConfigurationWithTheCorrectedInterval) {
  write_study("base: mlp.yaml\nset: {split.folds: 5}\naxes: {split.fold: [0, 1, 2, 3, 4]}\n");
  const auto o = run();
  EXPECT_EQ(o.status, 0) << o.err;
  const auto page = read_file(folder / "runs/small/report.md");
  EXPECT_TRUE(has(page, "in 1 configuration, 5 runs with 5 folds")) << page;
  EXPECT_TRUE(has(page, "segments evaluated over segments trained on, 0.33 for the test part")) << page;
}

TEST_F(StudyCommand, ARunThatDivergesIsCountedNotHidden) {
  write_study("base: mlp.yaml\naxes: {training.optimizer.adam.learning_rate: [1e-3, 1e30]}\n");
  const auto o = run();
  EXPECT_EQ(o.status, 1) << o.err;
  EXPECT_EQ(last_line(o.out), "report: runs/small/report.html");
  EXPECT_TRUE(has(o.err, "diverged")) << o.err;
  EXPECT_TRUE(has(o.err, "2 of 2 runs finished, 1 of them diverged")) << o.err;
}

TEST_F(StudyCommand, DamagedResultsAreMadeAgainAndKeptAside) {
  ASSERT_EQ(run({"--out", "out"}).status, 0);
  std::vector<fs::path> results;
  for (const auto& entry : fs::directory_iterator(folder / "out/runs"))
    results.push_back(entry.path() / "result.h5");
  ASSERT_EQ(results.size(), 4u);
  fs::resize_file(results[0], 0);
  fs::resize_file(results[1], fs::file_size(results[1]) / 2);
  const auto again = run({"--out", "out"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_TRUE(has(again.err, "2 of 4 runs to do")) << again.err;
  EXPECT_TRUE(fs::exists(results[0].parent_path() / "damaged-result.h5"));
  EXPECT_TRUE(has(read_file(results[0].parent_path() / "run.log"), "warning: ")) << "it is told in the log";
  EXPECT_GT(fs::file_size(results[0]), 1000u);
}

TEST_F(StudyCommand, ResultsOfOtherDataAreNotMixedWithThoseOfThese) {
  ASSERT_EQ(run({"--out", "out"}).status, 0);
  const auto key = *fs::directory_iterator(folder / "out/runs");
  write_file(key.path() / "key", "0123456789abcdef\n");
  const auto o = run({"--out", "out", "--seeds", "0,1,2"});
  EXPECT_EQ(o.status, 2) << o.err;
  EXPECT_TRUE(has(o.err, "was made from other data")) << o.err;
  EXPECT_FALSE(has(o.err, "runs to do")) << o.err;
}

TEST_F(StudyCommand, AFolderHoldsOneStudy) {
  ASSERT_EQ(run({"--out", "out"}).status, 0);
  write_file(folder / "study.yaml", "study: other\nbase: cnn.yaml\n");
  const auto o = run({"--out", "out"});
  EXPECT_EQ(o.status, 2);
  EXPECT_TRUE(has(o.err, "holds the study small, not other")) << o.err;
}

TEST_F(StudyCommand, TellsWhatBecomesOfItsRuns) {
  const auto before = run({"--status", "--out", "out"});
  EXPECT_EQ(before.status, 0) << before.err;
  EXPECT_EQ(before.out, "small: 4 runs: 4 waiting\n");
  EXPECT_FALSE(fs::exists(folder / "out")) << "to look leaves nothing";
  const auto some = run({"--out", "out", "--only", "1,3"});
  EXPECT_EQ(some.status, 0) << some.err;
  EXPECT_FALSE(fs::exists(folder / "out/report.html"));
  EXPECT_EQ(run({"--status", "--out", "out"}).out, "small: 4 runs: 2 finished, 2 waiting\n");

  // As a run that was killed, one that was stopped, and one that failed leave their folders.
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder / "out/runs")) folders.push_back(entry.path());
  ASSERT_EQ(folders.size(), 2u);
  const auto status = read_file(folders[0] / "status");
  EXPECT_TRUE(has(status, "state finished\n") && has(status, "\nfeatures ")) << status;
  fs::remove(folders[0] / "result.h5");
  write_file(folders[0] / "status",
             "state running\nhost n7\nprocess 1-0123456789abcdef-5\nbegan 1\nepoch 1\nepochs 2\n");
  fs::remove(folders[1] / "result.h5");
  write_file(folders[1] / "status",
             "state stopped\nhost n7\nsignal 12\nbefore_limit 38\nepoch 1\nepochs 2\njob 12_3\nrestarts 2\n");
  const auto after = run({"--status", "--out", "out"});
  EXPECT_TRUE(has(after.out, "small: 4 runs: 1 stopped, 1 killed, 2 waiting\n")) << after.out;
  EXPECT_TRUE(has(after.out, "by signal USR2, 38 s before the limit, epoch 1/2, job 12_3, requeued 2 times"))
      << after.out;
  EXPECT_TRUE(has(after.out, "on n7, epoch 1/2")) << after.out;
  write_file(folders[0] / "srun", "12_3 0 137\n");
  EXPECT_TRUE(has(run({"--status", "--out", "out"}).out,
                  "srun says 137: most often for memory (--mem asks for more)"));
  EXPECT_EQ(run({"--out", "out"}).status, 0);
  EXPECT_EQ(run({"--status", "--out", "out"}).out, "small: 4 runs: 4 finished\n");
}

TEST_F(StudyCommand, TenThousandRunsAreListedAndToldOfInTwoSeconds) {
  std::string values, seeds;
  for (int i = 0; i < 100; ++i) {
    values += fmt::format("{}{:.6g}", i > 0 ? ", " : "", 1e-6 * (i + 1));
    seeds += fmt::format("{}{}", i > 0 ? ", " : "", i);
  }
  write_study("base: mlp.yaml\naxes: {regularisation.l2: [" + values + "]}\nseeds: [" + seeds + "]\n");
  // Processor time: other work on this machine is no matter.
  const auto seconds_of = [&](const std::vector<std::string>& arguments, std::string_view words) {
    const auto used = [] {
      rusage u{};
      getrusage(RUSAGE_CHILDREN, &u);
      return double(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
             double(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    };
    const auto before = used();
    const auto o = run(arguments);
    EXPECT_TRUE(has(o.out, words)) << o.out.substr(o.out.size() - std::min<std::size_t>(o.out.size(), 500))
                                   << o.err;
    return used() - before;
  };
  EXPECT_LT(seconds_of({"--list"}, "10000 runs of 100 configurations, 0 finished"), 60);
  // Each run's folder, by a plan: all have begun.
  const auto plan = run({"--slurm=print", "--runs-per-task", "1000"});
  const auto tasks = plan.out.substr(plan.out.find("tasks-1.txt <=="));
  std::istringstream words(tasks);
  int folders = 0;
  for (std::string word; words >> word;)
    if (word.starts_with("small_mlp")) {
      fs::create_directories(folder / "runs/small/runs" / word);
      write_file(folder / "runs/small/runs" / word / "status",
                 "state stopped\nsignal 15\nepoch 1\nepochs 2\n");
      ++folders;
    }
  EXPECT_EQ(folders, 10000);
  EXPECT_LT(seconds_of({"--status"}, "small: 10000 runs: 10000 stopped"), 60);
  EXPECT_LT(seconds_of({"--list"}, "10000 runs of 100 configurations, 0 finished"), 60);
}

TEST_F(StudyCommand, FailedRunsAreDoneAgainAlone) {
  const auto folders = run_folders();
  fs::create_directories(folder / "out/runs" / folders[0]);
  write_file(folder / "out/runs" / folders[0] / "failed", "out of memory\n");
  const auto told = run({"--status", "--out", "out"});
  EXPECT_TRUE(has(told.out, "failed")) << told.out;
  EXPECT_TRUE(has(told.out, "out of memory")) << told.out;
  const auto again = run({"--out", "out", "--retry-failed"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_TRUE(has(again.err, "1 of 4 runs to do")) << again.err;
  EXPECT_EQ(run({"--status", "--out", "out"}).out, "small: 4 runs: 1 finished, 3 waiting\n");
}

TEST_F(StudyCommand, InPiecesGivesTheReportOfTheWhole) {
  ASSERT_EQ(run({"--out", "whole"}).status, 0);
  const auto features = run({"--out", "out", "--features-only"});
  EXPECT_EQ(features.status, 0) << features.err;
  EXPECT_FALSE(fs::exists(folder / "out/runs"));
  ASSERT_EQ(run({"--out", "out", "--only", "4,2"}).status, 0);
  const auto early = run({"--out", "out", "--report-only"});
  EXPECT_EQ(early.status, 1) << early.err;
  EXPECT_TRUE(has(early.err, "2 are not finished; the report is of the others")) << early.err;
  EXPECT_FALSE(has(early.err, "chosen on validation")) << "nothing is chosen before all have ended";
  ASSERT_EQ(run({"--out", "out", "--only", "1,3"}).status, 0);
  const auto last = run({"--out", "out", "--report-only"});
  EXPECT_EQ(last.status, 0) << last.err;
  EXPECT_EQ(last_line(last.out), "report: out/report.html");
  const auto without_times = [&](const char* name) {  // (columns 30 and 31)
    std::istringstream table(read_file(folder / name / "report.csv"));
    std::string out;
    for (std::string line; std::getline(table, line); out += "\n") {
      std::istringstream cells(line);
      std::string cell;
      for (int column = 1; std::getline(cells, cell, ','); ++column)
        if (column != 30 && column != 31) out += cell + ",";
    }
    return out;
  };
  EXPECT_EQ(without_times("out"), without_times("whole"));
}

TEST_F(StudyCommand, IsWrittenAsScriptsWhereThereIsNoCluster) {
  const auto without = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {command("run_study"), "study.yaml"});
    return run_process(arguments, {.folder = folder.path(), .environment = {{"PATH", "/nowhere"}}});
  };
  const auto submitted = without({"--slurm"});
  EXPECT_EQ(submitted.status, 1) << submitted.err;
  EXPECT_EQ(line_count(submitted.err), 1u) << submitted.err;
  EXPECT_TRUE(has(submitted.err, "there is no Slurm here")) << submitted.err;
  EXPECT_FALSE(fs::exists(folder / "runs/small/plan.json"));

  write_study(
      "base: mlp.yaml\naxes: {regularisation.l2: [0, 1e-3]}\nseeds: [0, 1]\nslurm: {partition: low, time: "
      "4:00:00}\n");
  const auto printed = without({"--slurm=print", "--runs-per-task", "3", "--gpus", "1", "--at-once", "2",
                                "--setup", "module load x", "--sbatch", "exclude=n1", "--out", "it's here"});
  EXPECT_EQ(printed.status, 0) << printed.err;
  for (const auto* words :
       {"#SBATCH --partition=low\n", "#SBATCH --time=4:00:00\n", "#SBATCH --gpus=1\n",
        "#SBATCH --array=0-1%2\n", "#SBATCH --signal=USR2@120\n", "#SBATCH --open-mode=append\n",
        "#SBATCH --requeue\n", "\nmodule load x\n", "#SBATCH --exclude=n1\n", "#SBATCH --cpus-per-task=3\n",
        "--features-only", "--report-only", "--jobs 3 --threads 1", "tasks-1.txt <==\n1,2,3 ", "\n4 "})
    EXPECT_TRUE(has(printed.out, words)) << words << "\n" << printed.out;
  EXPECT_FALSE(fs::exists(folder / "it's here")) << "it shows them, and writes nothing";
  for (const auto& [flag, value, words] : std::vector<std::array<std::string, 3>>{
           {"--time", "4 hours", "--time: must be minutes"},
           {"--partition", "a b", "--partition: must be one word"},
           {"--runs-per-task", "0", "--runs-per-task: must be between 1 and 1000"},
           {"--sbatch", "-x", "--sbatch"},
           {"--setup", "a\nb", "--setup[0]: must be one line"}}) {
    const auto wrong = without({"--slurm=print", flag, value});
    EXPECT_EQ(wrong.status, 2) << wrong.out;
    EXPECT_EQ(line_count(wrong.err), 1u) << wrong.err;
    EXPECT_TRUE(has(wrong.err, words)) << wrong.err;
  }
}

TEST_F(StudyCommand, BadRequestsGetOneLine) {
  const auto wrong = [&](const std::string& rest, std::vector<std::string> arguments,
                         std::string_view words) {
    write_study(rest);
    const auto o = run(std::move(arguments));
    EXPECT_EQ(o.status, 2) << o.err;
    EXPECT_EQ(o.out, "");
    EXPECT_EQ(line_count(o.err), 1u) << o.err;
    EXPECT_TRUE(o.err.starts_with("run_study: ")) << o.err;
    EXPECT_TRUE(has(o.err, words)) << o.err;
    EXPECT_FALSE(fs::exists(folder / "runs"));
  };
  const std::string base = "base: mlp.yaml\n";
  wrong(base + "axes: {regularisation.l3: [0]}\n", {}, "study.yaml:3:8: regularisation: unknown key 'l3'");
  wrong(base + "axes: {regularisation.l2: []}\n", {}, "the axis 'regularisation.l2' is empty");
  wrong(base + "axes: {regularisation.l2: [0, -1]}\n", {},
        "study.yaml:3:31: regularisation.l2: must be at least 0, not '-1'");
  wrong(base + "axes: {regularisation.l2: [1, 1.0]}\n", {}, "are the same run");
  wrong(base, {"--seeds", "-1"}, "--seeds");
  wrong(base, {"--seeds", "1,1"}, "a seed is there twice");
  wrong(base, {"--jobs", "0"}, "--jobs");
  wrong(base, {"--set", "training.epoch=3"}, "did you mean 'epochs'");
}

}  // namespace
}  // namespace timbre::end_to_end
