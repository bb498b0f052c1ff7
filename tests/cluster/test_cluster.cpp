// A study on a real cluster where everything goes wrong that can: the report is there in the end, and every result is byte for
// byte that of one machine.
#include <dirent.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "cluster/cluster.hpp"
#include "robustness/support.hpp"
#include "run/status.hpp"
#include "storage/process_name.hpp"

namespace timbre::cluster {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using robustness::differences;

std::string run_study() { return end_to_end::command("run_study"); }

bool has(const std::string& text, std::string_view words) { return text.find(words) != text.npos; }

/// A run that takes about `seconds` on this machine as it is now.
std::string run_yaml(const std::string& name, int epochs, int units) {
  return fmt::format(R"(experiment: {}
dataset:
  synthetic: {{clips_per_genre: 5, clip_seconds: 4}}
  segment_seconds: 1
features: {{kind: log_mel, n_mels: 20, standardise: true}}
model:
  - flatten
  - dense: {{units: {}, activation: relu}}
  - dropout: 0.3
  - dense: {{units: classes, activation: softmax}}
training: {{epochs: {}, batch_size: 16}}
)",
                     name, units, epochs);
}

/// Twelve runs: ten short ones and two that take `long_epochs`.
void write_study(const fs::path& folder, int short_epochs, int long_epochs) {
  std::string runs;
  for (int i = 0; i < 6; ++i) {
    const auto name = fmt::format("{}{}", i < 5 ? "short" : "long", i);
    end_to_end::write_file(folder / (name + ".yaml"),
                           run_yaml(name, i < 5 ? short_epochs : long_epochs, 30 + i));
    runs += (i > 0 ? ", " : "") + name + ".yaml";
  }
  end_to_end::write_file(
      folder / "study.yaml",
      "study: small\nruns: [" + runs +
          "]\nseeds: [0, 1]\nslurm: {partition: low, time: 1, grace: 20, mem: 1000, max_requeues: 20}\n");
}

std::map<std::string, fs::path> results_below(const fs::path& runs) {
  std::map<std::string, fs::path> out;
  std::error_code none;
  for (const auto& run : fs::directory_iterator(runs, none))
    if (fs::exists(run.path() / "result.h5") && !fs::exists(run.path() / "checkpoint.h5"))
      out[run.path().filename()] = run.path() / "result.h5";
  return out;
}

/// Looks all the time at which processes have the log of a run open, as only its writer has.
class WriterWatch {
 public:
  explicit WriterWatch(fs::path runs) : runs_(std::move(runs)) {
    thread_ = std::jthread([this](std::stop_token stop) {
      while (!stop.stop_requested()) look(), std::this_thread::sleep_for(20ms);
    });
  }
  int most() const { return most_; }
  int looks() const { return looks_; }

 private:
  void look() {
    std::map<std::string, std::set<std::string>> writers;
    std::error_code none;
    for (const auto& process : fs::directory_iterator("/proc", none)) {
      const auto number = process.path().filename().string();
      if (number.find_first_not_of("0123456789") != number.npos) continue;
      std::error_code hidden;
      for (fs::directory_iterator it(process.path() / "fd", hidden), end; !hidden && it != end;
           it.increment(hidden)) {
        std::error_code gone;
        const auto file = fs::read_symlink(it->path(), gone);
        if (!gone && file.filename() == "run.log" && file.string().starts_with(runs_.string()))
          writers[file.string()].insert(number);
      }
    }
    for (const auto& [file, who] : writers) most_ = std::max<int>(most_, int(who.size()));
    ++looks_;
  }
  fs::path runs_;
  std::atomic<int> most_{0}, looks_{0};
  std::jthread thread_;
};

class ClusterTest : public testing::Test {
 protected:
  ClusterTest() : cluster(root / "cluster") {}
  void SetUp() override {
    if (!cluster.running()) GTEST_SKIP() << cluster.reason();
  }

  bool wait_for(const std::function<bool()>& seen, std::chrono::seconds limit) {
    for (const auto until = Clock::now() + limit; Clock::now() < until;) {
      if (seen()) return true;
      std::this_thread::sleep_for(100ms);
    }
    return false;
  }
  std::string queue() const {
    return cluster.say({"squeue", "--noheader", "--array", "--format=%i %P %j %T %N %r"}, false);
  }
  /// A run that a process of the cluster is at work on, of those whose name has `words`.
  std::optional<std::pair<fs::path, run::RunStatus>> at_work(std::string_view words,
                                                             std::int64_t from_epoch = 1) const {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(runs(), none)) {
      if (!has(entry.path().filename().string(), words)) continue;
      const auto status = run::read_status(entry.path());
      const auto text =
          fs::exists(entry.path() / "run.log") ? end_to_end::read_file(entry.path() / "run.log") : "";
      if (!status || status->state != "running" || !has(text, fmt::format("\nepoch {}/", from_epoch)))
        continue;
      const auto process = storage::ProcessName::parse(status->process);
      if (process && storage::life_of(*process) == storage::Life::alive)
        return std::pair(entry.path(), *status);
    }
    return std::nullopt;
  }
  fs::path runs() const { return root / "work/runs/small/runs"; }
  /// Every status that srun gave, of all runs.
  std::multiset<int> srun_statuses() const {
    std::multiset<int> out;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(runs(), none)) {
      if (!fs::exists(entry.path() / "srun")) continue;
      std::istringstream lines(end_to_end::read_file(entry.path() / "srun"));
      std::string job;
      for (int restart = 0, status = 0; lines >> job >> restart >> status;) out.insert(status);
    }
    return out;
  }
  bool idle() const { return queue().empty(); }
  /// What the tasks wrote.
  std::string job_logs() const {
    std::string out;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(root / "work/runs/small/slurm/log", none))
      out += end_to_end::read_file(entry.path());
    return out;
  }

  end_to_end::TemporaryFolder root;
  Cluster cluster;
};

TEST_F(ClusterTest, AStudySurvivesWhateverHappensAndGivesTheBytesOfOneMachine) {
  fs::create_directories(root / "work"), fs::create_directories(root / "whole");
  // As many epochs as take long enough here and now for what is to happen.
  write_study(root / "work", 400, 400);
  const auto probe = cluster.run(
      {run_study(), "study.yaml", "--only", "1", "--jobs", "1", "--threads", "1", "--out", "probe"},
      root / "work");
  ASSERT_EQ(probe.status, 0) << probe.err;
  const double rate = 400 / probe.seconds;
  write_study(root / "work", std::max(20, int(3 * rate)), std::max(200, int(130 * rate)));
  fs::copy(root / "work", root / "whole", fs::copy_options::recursive);
  fs::remove_all(root / "work/probe"), fs::remove_all(root / "work/runs");

  const auto submitted = cluster.run({run_study(), "study.yaml", "--slurm"}, root / "work");
  ASSERT_EQ(submitted.status, 0) << submitted.err;
  EXPECT_TRUE(has(submitted.out, "12 runs submitted")) << submitted.out;
  EXPECT_TRUE(has(submitted.out, "(runs-2)")) << "twelve tasks make two arrays: " << submitted.out;
  EXPECT_LT(submitted.seconds, 60) << "it does not wait for the jobs";
  const WriterWatch watch(runs());
  const auto twice = cluster.run({run_study(), "study.yaml", "--slurm"}, root / "work");
  EXPECT_EQ(twice.status, 2) << twice.out << twice.err;
  EXPECT_TRUE(has(twice.err, "have not ended")) << twice.err;

  // Preemption.
  ASSERT_TRUE(wait_for([&] { return at_work("short").has_value(); }, 120s)) << queue() << cluster.logs();
  cluster.say(
      {"sbatch", "--partition=high", "--nodes=1", "--exclusive", "--output=/dev/null", "--wrap=sleep 2"});
  EXPECT_TRUE(wait_for([&] { return srun_statuses().contains(128 + SIGTERM); }, 60s)) << queue();

  // A worker is killed.
  ASSERT_TRUE(wait_for([&] { return at_work("").has_value(); }, 120s)) << queue();
  if (const auto victim = at_work("")) {
    const auto process = storage::ProcessName::parse(victim->second.process);
    ASSERT_EQ(::kill(pid_t(process->number), SIGKILL), 0);
  }
  EXPECT_TRUE(wait_for([&] { return srun_statuses().contains(128 + SIGKILL); }, 60s)) << queue();

  // scancel of one task: it stays cancelled.
  ASSERT_TRUE(
      wait_for([&] { return at_work("short").has_value() && !at_work("short")->second.job.empty(); }, 120s))
      << queue();
  const auto cancelled = at_work("short");
  const auto job = cancelled ? cancelled->second.job : "";
  if (cancelled) {
    cluster.say({"scancel", job});
  }

  // The daemon of a node is killed while a long run is at work there: the run goes on, and its task begins again beside it.
  bool killed_node = false;
  std::string node;
  EXPECT_TRUE(wait_for(
      [&] {
        // (One that outlives the time until its node is given up.)
        const auto run = at_work("long");
        if (!run || double(run->second.epochs - run->second.epoch) < 90 * rate) return false;
        std::istringstream lines(queue());
        for (std::string line; std::getline(lines, line);)
          if (line.starts_with(run->second.job + " ") && has(line, "RUNNING"))
            node = has(line, " n2 ") ? "n2" : "n1";
        return !node.empty();
      },
      240s))
      << queue();
  if (!node.empty()) {
    cluster.kill_node(node);
    killed_node = true;
    EXPECT_TRUE(wait_for(
        [&] {
          return has(cluster.say({"sinfo", "--noheader", "--Node", "--format=%N %T"}), node + " down");
        },
        90s))
        << cluster.say({"sinfo", "-N"});
    EXPECT_TRUE(wait_for([&] { return has(job_logs(), " is in use by process "); }, 120s))
        << "no task met the living process of a node that was given up: " << queue();
    cluster.start_node(node);
  }
  EXPECT_TRUE(killed_node);

  // All jobs end. (On an idle machine in three minutes; on a loaded one a run needs more requeues.)
  EXPECT_TRUE(wait_for([&] { return idle(); }, 1200s)) << queue() << cluster.logs();
  EXPECT_TRUE(srun_statuses().contains(128 + SIGUSR2)) << "no run met the time limit";
  const auto status = cluster.run({run_study(), "study.yaml", "--status"}, root / "work");
  EXPECT_EQ(status.status, 0) << status.err;
  std::printf("%s", status.out.c_str());
  // What was cancelled, if it was not done by then, is submitted again.
  for (int again = 0; again < 3 && results_below(runs()).size() < 12; ++again) {
    const auto more = cluster.run({run_study(), "runs/small", "--slurm"}, root / "work");
    EXPECT_EQ(more.status, 0) << more.err;
    EXPECT_TRUE(wait_for([&] { return idle(); }, 300s)) << queue();
  }
  EXPECT_EQ(results_below(runs()).size(), 12u) << status.out;
  EXPECT_TRUE(fs::exists(root / "work/runs/small/report.html"));
  EXPECT_TRUE(
      has(cluster.run({run_study(), "study.yaml", "--status"}, root / "work").out, "12 runs: 12 finished"));

  EXPECT_EQ(watch.most(), 1) << "two processes wrote one run";
  EXPECT_GT(watch.looks(), 100);

  const auto whole =
      cluster.run({run_study(), "study.yaml", "--jobs", "2", "--threads", "1"}, root / "whole");
  ASSERT_EQ(whole.status, 0) << whole.err;
  const auto expected = results_below(root / "whole/runs/small/runs");
  ASSERT_EQ(expected.size(), 12u);
  for (const auto& [name, file] : results_below(runs()))
    EXPECT_EQ(differences(file, expected.at(name)), std::vector<std::string>{}) << name;
  std::map<int, int> counts;
  for (const auto s : srun_statuses()) ++counts[s];
  for (const auto& [s, n] : counts) std::printf("srun status %d: %d times\n", s, n);
}

TEST_F(ClusterTest, SaysInOneLineWhatTheClusterRefuses) {
  fs::create_directories(root / "work");
  write_study(root / "work", 2, 2);
  const auto refused = [&](std::vector<std::string> flags, std::string_view words) {
    flags.insert(flags.begin(), {run_study(), "study.yaml", "--slurm"});
    const auto o = cluster.run(flags, root / "work");
    EXPECT_EQ(o.status, 2) << o.out << o.err;
    EXPECT_TRUE(has(o.err, words)) << o.err;
    EXPECT_EQ(end_to_end::line_count(o.err), 1u) << o.err;
    EXPECT_EQ(queue(), "") << "nothing is left in the queue";
  };
  refused({"--partition", "gpus"}, "--partition gpus: the cluster has no such partition; it has ");
  refused({"--constraint", "avx1024"}, "--constraint avx1024: ");
  refused({"--mem", "900G"}, "--mem 900G: ");
  refused({"--sbatch", "nodelist=n9"}, "--slurm: sbatch refuses: ");
}

TEST_F(ClusterTest, IsCancelledAndStaysSo) {
  fs::create_directories(root / "work");
  write_study(root / "work", 100000, 100000);
  ASSERT_EQ(cluster.run({run_study(), "study.yaml", "--slurm", "--at-once", "1"}, root / "work").status, 0);
  ASSERT_TRUE(wait_for([&] { return at_work("").has_value(); }, 120s)) << queue();
  const auto status = cluster.run({run_study(), "study.yaml", "--status"}, root / "work");
  EXPECT_TRUE(has(status.out, "running")) << status.out;
  EXPECT_TRUE(has(status.out, "1 running, 11 waiting")) << status.out;
  const auto cancelled = cluster.run({run_study(), "study.yaml", "--cancel"}, root / "work");
  EXPECT_EQ(cancelled.status, 0) << cancelled.err;
  EXPECT_TRUE(has(cancelled.out, "cancelled: jobs ")) << cancelled.out;
  EXPECT_TRUE(wait_for([&] { return idle(); }, 60s)) << queue();
  std::this_thread::sleep_for(8s);
  EXPECT_TRUE(idle()) << "nothing began again: " << queue();
  EXPECT_TRUE(
      has(cluster.run({run_study(), "study.yaml", "--cancel"}, root / "work").out, "no job of this study"));
}

TEST_F(ClusterTest, TellsOfAJobThatWasKilledForItsMemory) {
  fs::create_directories(root / "work");
  // Features of some 700 MB, which a run holds in memory, and whose extraction does not.
  end_to_end::write_file(root / "work/large.yaml", R"(experiment: large
dataset:
  synthetic: {clips_per_genre: 80, clip_seconds: 5}
  segment_seconds: 1
features: {kind: log_mel, n_mels: 128, hop_length: 64}
model:
  - flatten
  - dense: {units: 2, activation: relu}
  - dense: {units: classes, activation: softmax}
training: {epochs: 1000, batch_size: 16}
)");
  end_to_end::write_file(root / "work/study.yaml",
                         "study: large\nruns: [large.yaml]\nslurm: {mem: 350, max_requeues: 1}\n");
  const auto submitted = cluster.run({run_study(), "study.yaml", "--slurm"}, root / "work");
  ASSERT_EQ(submitted.status, 0) << submitted.err;
  EXPECT_TRUE(wait_for([&] { return idle(); }, 300s)) << queue();
  const auto status = cluster.run({run_study(), "study.yaml", "--status"}, root / "work");
  EXPECT_TRUE(has(status.out, "killed")) << status.out;
  EXPECT_TRUE(has(status.out, "srun says 137: most often for memory (--mem asks for more)")) << status.out;
  EXPECT_TRUE(has(status.out, "requeued 1 time")) << "as often as it may, and no more: " << status.out;
}

}  // namespace
}  // namespace timbre::cluster
