// A study that is killed at random moments and begun again ends with the results of one that never was; as it does
// with any number of jobs and threads, whole or in tasks.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <random>
#include <thread>

#include "results/run_record.hpp"
#include "robustness/support.hpp"

namespace timbre::robustness {
namespace {

std::string run_study() { return end_to_end::command("run_study"); }

/// Twelve runs of about half a second: two networks that see different features, two settings, three seeds.
void write_study(const fs::path& folder) {
  end_to_end::write_file(folder / "lstm.yaml", small_run());
  end_to_end::write_file(folder / "mlp.yaml", R"(experiment: mlp
dataset:
  synthetic: {clips_per_genre: 5, clip_seconds: 4}
  segment_seconds: 1
features: {kind: log_mel, n_mels: 20, standardise: true}
model:
  - flatten
  - dense: {units: 32, activation: relu}
  - dropout: 0.3
  - dense: {units: classes, activation: softmax}
training: {epochs: 12, batch_size: 16}
)");
  end_to_end::write_file(folder / "study.yaml", R"(study: small
runs: [lstm.yaml, mlp.yaml]
set: {training.epochs: 60, training.early_stopping: null}
axes: {regularisation.l2: [0, 1e-3]}
seeds: [0, 1, 2]
)");
}

/// Every result below a folder, by the name of its run's folder.
std::map<std::string, fs::path> results_below(const fs::path& folder) {
  std::map<std::string, fs::path> out;
  for (const auto& file : files_below(folder))
    if (file.filename() == "result.h5") out[file.parent_path().filename()] = folder / file;
  return out;
}

void expect_same_results(const fs::path& folder, const fs::path& expected) {
  const auto left = results_below(folder), right = results_below(expected);
  EXPECT_EQ(left.size(), right.size());
  for (const auto& [name, file] : right) {
    ASSERT_TRUE(left.contains(name)) << name;
    EXPECT_EQ(differences(left.at(name), file), std::vector<std::string>{}) << name;
  }
}

/// How many results below a folder have a test part.
int scored_below(const fs::path& folder) {
  int n = 0;
  for (const auto& [name, file] : results_below(folder))
    n += results::read_result(file, false, storage::own_file).test.has_value();
  return n;
}

TEST(KilledStudy, ThatWasAboutToCompleteWhatItChoseGoesOn) {
  const end_to_end::TemporaryFolder root;
  write_study(root.path());
  fs::create_directory(root / "begun");
  const std::vector<std::string> command{run_study(), "../study.yaml", "--out", "out", "--jobs",
                                         "2",         "--threads",     "1"};
  {
    // Test parts are sealed while the study runs.
    Child child(command, root / "begun");
    ASSERT_TRUE(child.wait_until([&] {
      return child.err().find("chosen on validation") != std::string::npos;
    })) << child.err();
    child.signal(SIGKILL);
    child.wait();
  }
  ASSERT_EQ(results_below(root / "begun").size(), 12u);
  EXPECT_LT(scored_below(root / "begun"), 6);
  fs::copy(root / "begun", root / "whole", fs::copy_options::recursive);
  const auto whole = end_to_end::run_process(command, {.folder = root / "whole"});
  ASSERT_EQ(whole.status, 0) << whole.err;
  // Two networks, three splits: the chosen of each and no other.
  EXPECT_EQ(scored_below(root / "whole"), 6);

  // Each result is completed whole or not at all: killed in between, some are and some are not.
  std::vector<fs::path> completed;
  for (const auto& file : files_below(root / "whole"))
    if (file.filename() == "result.h5" &&
        results::read_result(root / "whole" / file, false, storage::own_file).test.has_value())
      completed.push_back(file);
  for (const std::size_t done : {0, 2, 5}) {
    const auto folder = root / fmt::format("killed{}", done);
    fs::copy(root / "begun", folder, fs::copy_options::recursive);
    for (std::size_t i = 0; i < done; ++i)
      fs::copy_file(root / "whole" / completed[i], folder / completed[i],
                    fs::copy_options::overwrite_existing);
    const auto again = end_to_end::run_process(command, {.folder = folder});
    ASSERT_EQ(again.status, 0) << again.err;
    expect_same_results(folder, root / "whole");
    EXPECT_EQ(scored_below(folder), 6);
  }
  // And killed anywhere.
  for (int trial = 0; trial < 3; ++trial) {
    const auto folder = root / fmt::format("trial{}", trial);
    fs::copy(root / "begun", folder, fs::copy_options::recursive);
    {
      Child child(command, folder);
      child.wait_until([&] { return child.err().find("chosen on validation") != std::string::npos; });
      std::this_thread::sleep_for(std::chrono::milliseconds(3 * trial));
      child.signal(SIGKILL);
      child.wait();
    }
    const auto again = end_to_end::run_process(command, {.folder = folder});
    ASSERT_EQ(again.status, 0) << again.err;
    expect_same_results(folder, root / "whole");
    EXPECT_EQ(scored_below(folder), 6);
  }
}

TEST(KilledStudy, EndsWithTheBytesOfAnUninterruptedOne) {
  const int wanted = number_from("TIMBRE_KILLS", 3);
  std::mt19937 random{unsigned(number_from("TIMBRE_KILL_SEED", 0))};
  const end_to_end::TemporaryFolder root;
  write_study(root.path());
  fs::create_directory(root / "whole"), fs::create_directory(root / "work");
  const auto whole =
      end_to_end::run_process({run_study(), "../study.yaml", "--out", "out", "--jobs", "1", "--threads", "1"},
                              {.folder = root / "whole"});
  ASSERT_EQ(whole.status, 0) << whole.err;
  ASSERT_EQ(results_below(root / "whole").size(), 12u);

  const auto work = root / "work";
  int kills = 0, resumed = 0;
  for (int starts = 0;; ++starts) {
    ASSERT_LT(starts, 20 * wanted + 20) << "it never ends";
    Child child({run_study(), "../study.yaml", "--out", "out", "--jobs", "2", "--threads", "1",
                 "--checkpoint-seconds", "0.02"},
                work);
    if (kills < wanted) {
      // One of four at any time, the others while runs are trained.
      if (random() % 4 != 0)
        child.wait_until([&] { return child.err().find("runs to do") != std::string::npos; });
      std::this_thread::sleep_for(
          std::chrono::duration<double>(0.3 * whole.seconds * double(random() % 1000) / 1000.0));
      child.signal(SIGKILL);
    }
    const int status = child.wait();
    if (status == 0 && kills < wanted) {
      fs::remove_all(work / "out"), fs::remove_all(work / "runs");  // it was quicker: from the beginning
      continue;
    }
    if (status == 0) break;
    ASSERT_EQ(status, 128 + SIGKILL) << child.err();
    ++kills;
    for (const auto& [name, file] : results_below(work / "out")) {
      auto different = differences(file, root / "whole/out/runs" / name / "result.h5");
      if (!results::read_result(file, false, storage::own_file).test)  // sealed as yet
        std::erase_if(different, [](const std::string& line) {
          return line.starts_with("/test") || line.starts_with("/baselines") || line.starts_with("/ledger");
        });
      EXPECT_EQ(different, std::vector<std::string>{}) << name;
    }
  }
  expect_same_results(work / "out", root / "whole/out");
  for (const auto& file : files_below(work / "out")) {
    if (file.filename() != "run.log") continue;
    resumed +=
        end_to_end::read_file(work / "out" / file).find("goes on from a checkpoint") != std::string::npos;
  }
  EXPECT_EQ(files_below(work), files_below(root / "whole")) << "something was left over, or is missing";
  if (wanted >= 10) {
    EXPECT_GT(resumed, 0) << "no kill came in the middle of a training";
  }
  std::printf("%d kills, %d runs went on from a checkpoint; all results identical\n", kills, resumed);
}

TEST(Study, GivesTheSameResultsWithAnyNumberOfJobsAndThreadsWholeOrInTasks) {
  const end_to_end::TemporaryFolder root;
  write_study(root.path());
  const auto run = [&](const std::string& name, std::vector<std::string> arguments) {
    fs::create_directory(root / name);
    arguments.insert(arguments.begin(), {run_study(), "../study.yaml", "--out", "out"});
    const auto done = end_to_end::run_process(arguments, {.folder = root / name});
    EXPECT_EQ(done.status, 0) << done.err;
    return done;
  };
  run("one", {"--jobs", "1", "--threads", "1"});
  run("many", {"--jobs", "3", "--threads", "2"});
  expect_same_results(root / "many", root / "one");
  run("disk", {"--jobs", "2", "--feature-memory", "0"});
  expect_same_results(root / "disk", root / "one");
  for (const char* task : {"3/3", "1/3", "2/3"}) run("tasks", {"--task", task});
  expect_same_results(root / "tasks", root / "one");
}

TEST(Study, TwoProcessesShareTheWorkAndTheLastOneWritesTheReport) {
  const end_to_end::TemporaryFolder root;
  write_study(root.path());
  fs::create_directory(root / "work");
  const std::vector<std::string> command = {run_study(), "../study.yaml", "--out", "out",       "--task",
                                            "1/1",       "--jobs",        "1",     "--threads", "1"};
  Child one(command, root / "work"), other(command, root / "work");
  EXPECT_EQ(one.wait(), 0) << one.err();
  EXPECT_EQ(other.wait(), 0) << other.err();
  EXPECT_EQ(one.err().find("FAILED"), std::string::npos) << one.err();
  EXPECT_EQ(other.err().find("FAILED"), std::string::npos) << other.err();
  EXPECT_EQ(results_below(root / "work").size(), 12u);
  EXPECT_TRUE(fs::exists(root / "work/out/report.html"));
}

TEST(Study, TwoProcessesOverOneFolderShareItWithoutBeingTold) {
  const end_to_end::TemporaryFolder root;
  write_study(root.path());
  fs::create_directory(root / "whole"), fs::create_directory(root / "work"),
      fs::create_directory(root / "killed");
  const std::vector<std::string> command = {
      run_study(), "../study.yaml",        "--out", "out", "--jobs", "1", "--threads",
      "1",         "--checkpoint-seconds", "0.05"};
  ASSERT_EQ(end_to_end::run_process(command, {.folder = root / "whole"}).status, 0);
  {
    Child one(command, root / "work"), other(command, root / "work");
    EXPECT_EQ(one.wait(), 0) << one.err();
    EXPECT_EQ(other.wait(), 0) << other.err();
    EXPECT_EQ(end_to_end::last_line(one.out()), "report: out/report.html");
    EXPECT_EQ(end_to_end::last_line(other.out()), "report: out/report.html");
    expect_same_results(root / "work/out", root / "whole/out");
    const auto both = one.err() + other.err();
    std::size_t done = 0;
    for (auto at = both.find("% of validation clips, weights of epoch"); at != both.npos;
         at = both.find("% of validation clips, weights of epoch", at + 1))
      ++done;
    EXPECT_EQ(done, 12u) << "each run is done once: " << both;
  }
  // The one that is left takes up what the other was killed at.
  Child one(command, root / "killed"), other(command, root / "killed");
  ASSERT_TRUE(one.wait_until([&] { return one.err().find("[2/12]") != std::string::npos; })) << one.err();
  one.signal(SIGKILL);
  one.wait();
  EXPECT_EQ(other.wait(), 0) << other.err();
  expect_same_results(root / "killed/out", root / "whole/out");
}

TEST(Study, StopsAfterCheckpointsWhenAskedAndGoesOn) {
  const end_to_end::TemporaryFolder root;
  write_study(root.path());
  fs::create_directory(root / "whole"), fs::create_directory(root / "work");
  ASSERT_EQ(
      end_to_end::run_process({run_study(), "../study.yaml", "--out", "out"}, {.folder = root / "whole"})
          .status,
      0);
  Child child({run_study(), "../study.yaml", "--out", "out", "--jobs", "2"}, root / "work");
  ASSERT_TRUE(child.wait_until([&] { return child.err().find("[2/12]") != std::string::npos; }))
      << child.err();
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 128 + SIGTERM);
  EXPECT_NE(child.err().find("stopped; the same command goes on from here"), std::string::npos)
      << child.err();
  const auto before = results_below(root / "work").size();
  EXPECT_GE(before, 2u);
  EXPECT_LT(before, 12u);
  const auto again =
      end_to_end::run_process({run_study(), "../study.yaml", "--out", "out"}, {.folder = root / "work"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_NE(again.err.find(std::to_string(12 - before) + " of 12 runs to do"), std::string::npos)
      << again.err;
  expect_same_results(root / "work", root / "whole");
}

}  // namespace
}  // namespace timbre::robustness
