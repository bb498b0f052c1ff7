// reproduce: a run made again from its result file alone, elsewhere; and what is said where it is not the same.
#include <gtest/gtest.h>

#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"
#include "end_to_end/stand_in.hpp"
#include "results/run_record.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

class Reproduce : public testing::Test {
 protected:
  void SetUp() override {
    write_small_run(folder / "small.yaml", "lstm");
    const auto first =
        run({command("run_experiment"), "small.yaml", "--out", "first", "--threads", "1"}, folder.path());
    ASSERT_EQ(first.status, 0) << first.err;
    fs::create_directory(folder / "elsewhere");
    fs::rename(folder / "first/result.h5", folder / "elsewhere/result.h5");  // all that is left
    fs::remove(folder / "small.yaml");
    fs::remove_all(folder / "runs");
  }
  Outcome run(const std::vector<std::string>& arguments, const fs::path& where) {
    return run_process(arguments, {.folder = where});
  }
  Outcome reproduce(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {command("reproduce"), "result.h5"});
    return run(arguments, folder / "elsewhere");
  }
  /// Writes the result as `change` leaves it.
  template <class Change>
  void tamper(const Change& change) {
    auto record = results::read_result(folder / "elsewhere/result.h5");
    change(record);
    results::write_result(folder / "elsewhere/result.h5", record);
  }

  TemporaryFolder folder;
};

TEST_F(Reproduce, ARunIsTheSameToTheLastBitOnAnotherNumberOfThreads) {
  for (const char* threads : {"2", "3"}) {  // and once more
    const auto again = reproduce({"--threads", threads});
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_TRUE(again.out.starts_with("the same to the last bit: 2 epochs, ")) << again.out;
    EXPECT_TRUE(last_line(again.out).starts_with("result: runs/small_lstm/")) << again.out;
  }
}

TEST_F(Reproduce, WhatDiffersIsNamedAndEndsWithStatusOne) {
  tamper([](results::RunRecord& r) {
    r.weights.at(0).data.at(0) += 1;
    r.environment.emplace_back("instruction_set", "another");
  });
  const auto again = reproduce({});
  EXPECT_EQ(again.status, 1) << again.err;
  EXPECT_TRUE(again.out.starts_with("differs: weights: lstm/kernel, by at most 1 of ")) << again.out;
  EXPECT_NE(again.out.find("\nmade elsewhere: instruction_set: "), again.out.npos) << again.out;
  EXPECT_EQ(again.out.find("the same"), again.out.npos) << again.out;
}

TEST_F(Reproduce, OtherSongsOrSettingsAreNoReproduction) {
  const auto other = reproduce({"--set", "training.epochs=1"});
  EXPECT_EQ(other.status, 1);
  EXPECT_EQ(other.out, "");
  EXPECT_TRUE(
      last_line(other.err).starts_with("reproduce: result.h5: cannot be made again from what is here: "))
      << other.err;
  EXPECT_FALSE(fs::exists(folder / "elsewhere/runs/small_lstm")) << "trained all the same";
}

/// What the record says of algorithms; "" where it says nothing.
std::string algorithms_of(const results::RunRecord& record) {
  for (const auto& [name, text] : record.environment)
    if (name == "algorithms") return text;
  return "";
}

TEST_F(Reproduce, AlgorithmsStandInKeyAndRecordAndAreTheRecords) {
  const auto usual = results::read_result(folder / "elsewhere/result.h5");
  EXPECT_EQ(algorithms_of(usual), "");  // the CPU has one way
  write_small_run(folder / "small.yaml", "lstm");
  ProcessOptions own{.folder = folder.path(),
                     .environment = {{"TIMBRE_LSTM", "own"}, {"TIMBRE_CONV", "cudnn"}}};
  const auto run = [&](const ProcessOptions& options) {
    return run_process({command("run_experiment"), "small.yaml", "--out", "own", "--force"}, options);
  };
  ASSERT_EQ(run(own).status, 0);
  const auto record = results::read_result(folder / "own/result.h5");
  EXPECT_EQ(algorithms_of(record), "TIMBRE_LSTM=own");
  EXPECT_NE(record.key, usual.key);
  fs::copy_file(folder / "own/result.h5", folder / "elsewhere/result.h5",
                fs::copy_options::overwrite_existing);
  const auto again = run_process({command("reproduce"), "result.h5"},
                                 {.folder = folder / "elsewhere", .environment = {{"TIMBRE_CONV", "own"}}});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_TRUE(again.err.starts_with("as the record has it: TIMBRE_LSTM=own\n")) << again.err;
  own.environment["TIMBRE_LSTM"] = "mine";
  const auto wrong = run(own);
  EXPECT_EQ(wrong.status, 2);
  EXPECT_EQ(wrong.err,
            "run_experiment: TIMBRE_LSTM: 'mine' is no way to compute an LSTM; known: auto, cudnn, own\n");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose libraries must be loaded first
TEST_F(Reproduce, ARunOfTheGpuIsMadeAgainByItsAlgorithms) {
  write_small_run(folder / "small.yaml", "lstm");
  const auto library = install_stand_in(folder / "stand_in").string();
  const auto there = run_process(
      {command("run_experiment"), "small.yaml", "--out", "own", "--device", "cuda"},
      {.folder = folder.path(), .environment = {{"LD_PRELOAD", library}, {"TIMBRE_DROPOUT", "cudnn"}}});
  ASSERT_EQ(there.status, 0) << there.err;
  const auto record = results::read_result(folder / "own/result.h5");
  EXPECT_TRUE(algorithms_of(record).starts_with(
      "TIMBRE_LSTM=cudnn TIMBRE_GRU=cudnn TIMBRE_CONV=cudnn TIMBRE_DROPOUT=cudnn "))
      << algorithms_of(record);
  fs::copy_file(folder / "own/result.h5", folder / "elsewhere/result.h5",
                fs::copy_options::overwrite_existing);
  const auto again = run_process({command("reproduce"), "result.h5"},
                                 {.folder = folder / "elsewhere", .environment = {{"LD_PRELOAD", library}}});
  EXPECT_EQ(again.status, 0) << again.out << again.err;
}
#endif

TEST_F(Reproduce, WhatIsNoFinishedResultIsRefused) {
  write_file(folder / "elsewhere/text.h5", "no HDF5\n");
  for (const auto* file : {"text.h5", "missing.h5"}) {
    const auto r = run({command("reproduce"), file}, folder / "elsewhere");
    EXPECT_EQ(r.status, 2) << r.err;
    EXPECT_EQ(line_count(r.err), 1u) << r.err;
  }
  tamper([](results::RunRecord& r) { r.status = "interrupted"; });
  const auto r = reproduce({});
  EXPECT_EQ(r.status, 2);
  EXPECT_EQ(r.err, "reproduce: result.h5: was interrupted; there is no end to compare with\n");
}

}  // namespace
}  // namespace timbre::end_to_end
