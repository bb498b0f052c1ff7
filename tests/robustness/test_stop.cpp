// Runs that are asked to stop, and runs that meet.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "robustness/support.hpp"
#include "storage/hdf5.hpp"

namespace timbre::robustness {
namespace {

using end_to_end::last_line;

class Run : public testing::Test {
 protected:
  const end_to_end::TemporaryFolder root;
  const fs::path out = root / "run";

  Run() { end_to_end::write_file(root / "run.yaml", small_run()); }
  std::vector<std::string> arguments(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {run_experiment(), "run.yaml", "--out", "run"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  end_to_end::Outcome go(const std::vector<std::string>& more = {}) const {
    return end_to_end::run_process(arguments(more), {.folder = root.path()});
  }
  bool reached(const std::string& text) const {
    return fs::exists(out / "run.log") &&
           end_to_end::read_file(out / "run.log").find(text) != std::string::npos;
  }
  /// A run that is so long that it has not ended by the time a test looks.
  std::vector<std::string> long_run() const {
    return arguments({"--set", "training.epochs=100000", "--set", "training.early_stopping.patience=100000"});
  }
};

TEST_F(Run, StopsAfterACheckpointAndGoesOnFromItToTheSameBytes) {
  ASSERT_EQ(go().status, 0);
  fs::rename(out, root / "whole");
  const struct {
    int signal, status, epoch;
  } stops[] = {{SIGTERM, 143, 2}, {SIGINT, 130, 5}, {SIGTERM, 143, 8}};
  int stopped = 0;
  for (const auto& stop : stops) {
    Child child(arguments(), root.path());
    if (!child.wait_until([&] { return reached("\nepoch " + std::to_string(stop.epoch) + "/"); })) break;
    child.signal(stop.signal);
    const int status = child.wait();
    if (status == 0) break;  // it ended before the signal came
    ASSERT_EQ(status, stop.status) << child.err();
    EXPECT_EQ(last_line(child.err()), "run_experiment: interrupted");
    EXPECT_NE(child.err().find("the same command goes on from here"), std::string::npos) << child.err();
    EXPECT_EQ(child.out(), "");
    EXPECT_TRUE(fs::exists(out / "checkpoint.h5"));
    ++stopped;
  }
  EXPECT_GT(stopped, 0);
  const auto last = go();
  ASSERT_EQ(last.status, 0) << last.err;
  EXPECT_EQ(differences(out / "result.h5", root / "whole/result.h5"), std::vector<std::string>{});
  EXPECT_EQ(files_below(out), files_below(root / "whole"));
}

TEST_F(Run, HeedsEverySignalThatAClusterSends) {
  for (const int number : {SIGUSR1, SIGUSR2, SIGHUP, SIGTERM, SIGINT}) {
    fs::remove_all(out);
    Child child(long_run(), root.path());
    ASSERT_TRUE(child.wait_until([&] { return reached("\nepoch 2/"); })) << child.err();
    child.signal(number);
    EXPECT_EQ(child.wait(), 128 + number) << child.err();
    EXPECT_TRUE(fs::exists(out / "checkpoint.h5")) << number;
    const auto status = end_to_end::read_file(out / "status");
    EXPECT_NE(status.find("state stopped\n"), std::string::npos) << status;
    EXPECT_NE(status.find("\nsignal " + std::to_string(number) + "\n"), std::string::npos) << status;
  }
}

TEST_F(Run, TakesTwoSignalsAtOnceForOneRequest) {
  Child child(long_run(), root.path());
  ASSERT_TRUE(child.wait_until([&] { return reached("\nepoch 2/"); })) << child.err();
  child.signal(SIGUSR2), child.signal(SIGTERM);
  const int status = child.wait();
  EXPECT_TRUE(status == 128 + SIGUSR2 || status == 128 + SIGTERM) << status;
  EXPECT_TRUE(fs::exists(out / "checkpoint.h5"));
  EXPECT_NE(child.err().find("goes on from here"), std::string::npos) << child.err();
}

TEST_F(Run, EndsAtOnceOnASecondSignalAndLosesNothing) {
  ASSERT_EQ(go().status, 0);
  fs::rename(out, root / "whole");
  // While it extracts or trains, at whatever moment the second comes.
  for (int trial = 0; trial < 5; ++trial) {
    Child child(arguments({"--checkpoint-seconds", "0.05"}), root.path());
    if (!child.wait_until([&] { return reached("\nepoch 2/"); })) break;
    child.signal(SIGTERM);
    std::this_thread::sleep_for(std::chrono::milliseconds(trial));
    child.signal(SIGTERM);
    const int status = child.wait();
    EXPECT_TRUE(status == 128 + SIGTERM || status == 0) << status;
  }
  const auto last = go();
  ASSERT_EQ(last.status, 0) << last.err;
  EXPECT_EQ(differences(out / "result.h5", root / "whole/result.h5"), std::vector<std::string>{});
  EXPECT_EQ(files_below(out), files_below(root / "whole"));
}

TEST_F(Run, LeavesAHangUpThatNohupKeepsAway) {
  Child child({"/usr/bin/nohup", "/bin/sh", "-c", "exec \"$0\" run.yaml --out run", run_experiment()},
              root.path());
  ASSERT_TRUE(child.wait_until([&] { return reached("\nepoch 2/"); })) << child.err();
  child.signal(SIGHUP);
  EXPECT_EQ(child.wait(), 0) << child.err();
}

TEST_F(Run, HandlesNoSignalOnAThreadThatComputes) {
  Child child(long_run(), root.path());
  ASSERT_TRUE(child.wait_until([&] { return reached("epoch 1/"); })) << child.err();
  int threads = 0, waiting = 0;
  for (const auto& thread : fs::directory_iterator("/proc/" + std::to_string(child.id()) + "/task")) {
    const auto status = end_to_end::read_file(thread.path() / "status");
    const auto at = status.find("SigBlk:");
    ASSERT_NE(at, std::string::npos) << status;
    const auto blocked = std::stoull(status.substr(at + 7), nullptr, 16);
    const bool blocks = (blocked >> (SIGINT - 1) & 1) && (blocked >> (SIGTERM - 1) & 1);
    waiting += !blocks, ++threads;  // the kernel shows them as free where a thread waits for them
    if (thread.path().filename() == std::to_string(child.id())) {
      EXPECT_TRUE(blocks) << status;
    }
  }
  EXPECT_GE(threads, 2);
  EXPECT_EQ(waiting, 1);
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 143);
}

TEST_F(Run, StopsWhileItExtractsAndLeavesNothing) {
  Child child(arguments({"--set", "dataset.synthetic.clips_per_genre=1000"}), root.path());
  ASSERT_TRUE(child.wait_until([&] { return !files_below(root / "runs").empty(); })) << child.err();
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 143);
  EXPECT_EQ(last_line(child.err()), "run_experiment: interrupted") << child.err();
  EXPECT_EQ(files_below(root / "runs"), std::vector<fs::path>{});
}

TEST_F(Run, ThatAnotherProcessWorksOnIsLeftToIt) {
  Child first(long_run(), root.path());
  ASSERT_TRUE(first.wait_until([&] { return reached("epoch 1/"); })) << first.err();
  const auto second = end_to_end::run_process(long_run(), {.folder = root.path()});
  EXPECT_EQ(second.status, 1);
  EXPECT_EQ(second.out, "");
  const auto line = last_line(second.err);
  EXPECT_EQ(line.find("run_experiment: run is in use by process " + std::to_string(first.id()) + " on "), 0u)
      << second.err;

  // The dead hold nothing: killed, its lock lies there still, and the next one takes the run over.
  first.signal(SIGKILL);
  EXPECT_EQ(first.wait(), 128 + SIGKILL);
  ASSERT_TRUE(fs::exists(out / ".lock"));
  fs::remove(out / "run.log");
  Child third(long_run(), root.path());
  ASSERT_TRUE(third.wait_until([&] { return reached("epoch 1/"); })) << third.err();
  third.signal(SIGTERM);
  EXPECT_EQ(third.wait(), 143) << third.err();
  EXPECT_FALSE(fs::exists(out / ".lock"));
}

TEST_F(Run, KilledBetweenItsResultAndItsEndLooksAtTheTestPartOnce) {
  Child child(arguments({"--checkpoint-seconds", "0"}), root.path());
  const auto checkpoint = out / "checkpoint.h5", kept = root / "checkpoint.h5";
  ASSERT_TRUE(child.wait_until([&] { return reached("\nepoch 2/") && fs::exists(checkpoint); }))
      << child.err();
  child.signal(SIGTERM);
  if (child.wait() == 0) GTEST_SKIP() << "the run was quicker than the signal";
  fs::copy_file(checkpoint, kept);
  ASSERT_EQ(go().status, 0);
  fs::copy_file(out / "result.h5", root / "whole.h5");
  // As if it had been killed after its result was written, and before its checkpoint was removed.
  const auto end_again = [&](const std::string& looks_before) {
    fs::copy_file(kept, checkpoint);
    if (!looks_before.empty()) end_to_end::write_file(out / "looks_before", looks_before);
    const auto last = go();
    EXPECT_EQ(last.status, 0) << last.err;
    EXPECT_NE(last.err.find("goes on from a checkpoint"), std::string::npos) << last.err;
    EXPECT_FALSE(fs::exists(out / "looks_before"));
    return storage::H5File::open(out / "result.h5").int_attribute("/ledger", "looks");
  };
  EXPECT_EQ(end_again(""), 1);
  EXPECT_EQ(differences(out / "result.h5", root / "whole.h5"), std::vector<std::string>{});
  ASSERT_EQ(go({"--force"}).status, 0);
  EXPECT_EQ(storage::H5File::open(out / "result.h5").int_attribute("/ledger", "looks"), 2);
  EXPECT_EQ(end_again("1\n"), 2) << "the look of before --force is kept";
}

TEST_F(Run, ForcedAgainAndStoppedGoesOnWithoutForce) {
  ASSERT_EQ(go().status, 0);
  fs::copy_file(out / "result.h5", root / "whole.h5");
  fs::remove(out / "run.log");
  Child child(arguments({"--force"}), root.path());
  ASSERT_TRUE(child.wait_until([&] { return reached("\nepoch 1/"); })) << child.err();
  child.signal(SIGTERM);
  if (child.wait() == 0) GTEST_SKIP() << "the run was quicker than the signal";
  EXPECT_NE(child.err().find("the same command without --force goes on from here"), std::string::npos)
      << child.err();
  EXPECT_TRUE(fs::exists(out / "result.h5")) << "the earlier result stays until there is another";
  const auto last = go();
  EXPECT_EQ(last.status, 0);
  EXPECT_NE(last.err.find("goes on from a checkpoint"), std::string::npos) << last.err;
  // The same to the last bit, but for the ledger, which knows of both looks at the test part.
  EXPECT_EQ(differences(out / "result.h5", root / "whole.h5"),
            (std::vector<std::string>{"/ledger/by", "/ledger/why", "/ledger@looks"}));
  EXPECT_EQ(storage::H5File::open(out / "result.h5").int_attribute("/ledger", "looks"), 2);
  EXPECT_NE(go().err.find("has finished before"), std::string::npos);
}

}  // namespace
}  // namespace timbre::robustness
