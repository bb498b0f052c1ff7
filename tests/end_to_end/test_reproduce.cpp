// reproduce: a run made again from its result file alone, elsewhere; and what is said where it is not the same.
#include <gtest/gtest.h>

#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"
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
