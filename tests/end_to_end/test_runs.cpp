// run_experiment from a YAML file to result.h5, for the three architectures of the original on a little
// made-up music.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"
#include "storage/hdf5.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

Outcome run_here(const TemporaryFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), command("run_experiment"));
  return run_process(arguments, {.folder = folder.path()});
}

/// The file that the last line on stdout names.
fs::path result_of(const Outcome& o, const TemporaryFolder& folder) {
  const auto line = last_line(o.out);
  EXPECT_TRUE(line.starts_with("result: ")) << o.out << o.err;
  EXPECT_TRUE(line.ends_with("/result.h5")) << line;
  return folder.path() / line.substr(std::min<std::size_t>(8, line.size()));
}

/// Everything that a run learned and predicted, as one string of bytes; without times and places.
std::string learned(const fs::path& result) {
  const auto file = storage::H5File::open(result);
  std::string out;
  const std::function<void(const std::string&)> visit = [&](const std::string& path) {
    for (const auto& child : file.children(path)) {
      const auto inner = path + "/" + child.name;
      if (child.is_group) {
        visit(inner);
      } else {
        out += inner + ":";
        if (file.type_name(inner) == "float32") {
          const auto values = file.read_floats(inner);
          out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
        } else if (file.type_name(inner) == "int32") {
          const auto values = file.read_ints(inner);
          out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(std::int32_t));
        }
      }
    }
  };
  for (const auto* group : {"/model_weights", "/validation", "/test", "/split"}) visit(group);
  return out;
}

class Runs : public testing::TestWithParam<std::string> {};

TEST_P(Runs, TrainOnceAndAgainOnlyByForceWithTheSameBytes) {
  TemporaryFolder folder;
  write_small_run(folder / "small.yaml", GetParam());

  const auto plan = run_here(folder, {"small.yaml", "--dry-run"});
  EXPECT_EQ(plan.status, 0) << plan.err;
  EXPECT_NE(plan.out.find("(130, 13)"), plan.out.npos) << plan.out;
  EXPECT_FALSE(fs::exists(folder / "runs")) << "a dry run leaves nothing";

  const auto first = run_here(folder, {"small.yaml", "--threads", "1"});
  ASSERT_EQ(first.status, 0) << first.err;
  const auto result = result_of(first, folder);
  ASSERT_TRUE(fs::is_regular_file(result));
  EXPECT_TRUE(result.string().find("/runs/small_" + GetParam() + "/") != std::string::npos) << result;
  EXPECT_EQ(line_count(first.out), 1u) << "progress goes to stderr\n" << first.out;
  EXPECT_NE(first.err.find("val_loss"), first.err.npos) << first.err;
  EXPECT_TRUE(fs::exists(result.parent_path() / "run.log"));
  const auto bytes = learned(result);
  EXPECT_GT(bytes.size(), 5000u);
  {
    const auto file = storage::H5File::open(result);
    EXPECT_EQ(file.text_attribute("/", "schema"), "timbre-run");
    EXPECT_EQ(file.text_attribute("/", "status"), "finished");
    EXPECT_EQ(file.int_attribute("/", "synthetic"), 1);
    EXPECT_EQ(file.int_attribute("/", "epochs_run"), 2);
    EXPECT_EQ(file.shape("/test/confusion"), Shape({10, 10}));
    EXPECT_EQ(file.shape("/test/clips/probabilities"), Shape({10, 10}));
    EXPECT_EQ(file.shape("/history/val_loss"), Shape({2}));
  }

  const auto second = run_here(folder, {"small.yaml"});
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(result_of(second, folder), result);
  EXPECT_NE(second.err.find("--force"), second.err.npos) << second.err;
  EXPECT_EQ(second.err.find("val_loss"), second.err.npos) << "nothing is trained again\n" << second.err;

  const auto again = run_here(folder, {"small.yaml", "--force", "--threads", "2"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_NE(again.err.find("val_loss"), again.err.npos) << again.err;
  EXPECT_EQ(result_of(again, folder), result);
  EXPECT_TRUE(learned(result) == bytes) << "two threads and one give the same bytes";
}

INSTANTIATE_TEST_SUITE_P(Runs, Runs, testing::Values("mlp", "cnn", "lstm"),
                         [](const auto& p) { return p.param; });

TEST(Runs, AnotherSeedIsAnotherRun) {
  TemporaryFolder folder;
  write_small_run(folder / "small.yaml", "mlp");
  const auto zero = result_of(run_here(folder, {"small.yaml"}), folder);
  const auto one = result_of(run_here(folder, {"small.yaml", "--set", "seed=1"}), folder);
  EXPECT_NE(zero, one);
  EXPECT_TRUE(learned(zero) != learned(one));
}

TEST(Runs, TheFolderIsTheOneThatOutNames) {
  TemporaryFolder folder;
  write_small_run(folder / "small.yaml", "mlp");
  const auto first = run_here(folder, {"small.yaml", "--out", "here"});
  EXPECT_EQ(last_line(first.out), "result: here/result.h5") << first.err;
  const auto other = run_here(folder, {"small.yaml", "--out", "here", "--set", "training.batch_size=7"});
  EXPECT_EQ(other.status, 2);
  EXPECT_NE(other.err.find("here"), other.err.npos) << other.err;
}

TEST(Runs, ARunThatIsInterruptedGoesOnToTheSameBytes) {
  TemporaryFolder folder;
  write_small_run(folder / "small.yaml", "mlp");
  const std::vector<std::string> whole{"small.yaml", "--out", "whole", "--set", "training.epochs=400"};
  ASSERT_EQ(run_here(folder, whole).status, 0);

  // (A background command of a shell without job control ignores SIGINT; SIGTERM takes the same way.)
  const auto script = fmt::format(
      "'{}' small.yaml --out cut --set training.epochs=400 2>cut.log & run=$!; "
      "until grep -q val_loss cut.log || ! kill -0 $run 2>/dev/null; do sleep 0.01; done; "
      "kill -TERM $run 2>/dev/null; wait $run",
      command("run_experiment"));
  const auto cut = run_process({"sh", "-c", script}, {.folder = folder.path()});
  if (cut.status == 0) GTEST_SKIP() << "the run was over before the signal came";
  EXPECT_EQ(cut.status, 143) << read_file(folder / "cut.log");
  EXPECT_FALSE(fs::exists(folder / "cut/result.h5"));

  const auto rest = run_here(folder, {"small.yaml", "--out", "cut", "--set", "training.epochs=400"});
  ASSERT_EQ(rest.status, 0) << rest.err;
  EXPECT_NE(rest.err.find("goes on"), rest.err.npos) << rest.err;
  EXPECT_TRUE(learned(folder / "cut/result.h5") == learned(folder / "whole/result.h5"));
}

}  // namespace
}  // namespace timbre::end_to_end
