// inspect of a folder of runs, what it cleans away, and the tables it writes.
#include <gtest/gtest.h>

#include <sstream>

#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

class InspectFolder : public testing::Test {
 protected:
  InspectFolder() {
    write_small_run(folder / "mlp.yaml", "mlp");
    write_file(folder / "study.yaml", "study: small\nbase: mlp.yaml\nseeds: [0, 1]\n");
    const auto o = run_process({command("run_study"), "study.yaml"}, {.folder = folder.path()});
    EXPECT_EQ(o.status, 0) << o.err;
  }
  Outcome inspect(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), command("inspect"));
    return run_process(arguments, {.folder = folder.path()});
  }
  static bool has(const std::string& text, std::string_view words) { return text.find(words) != text.npos; }
  fs::path some_run() const { return fs::directory_iterator(folder / "runs/small/runs")->path(); }
  TemporaryFolder folder;
};

TEST_F(InspectFolder, ListsRunsAndStudies) {
  const auto o = inspect({"runs"});
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(has(o.out, "small/runs/small_mlp_seed=0_")) << o.out;
  EXPECT_TRUE(has(o.out, "finished")) << o.out;
  EXPECT_TRUE(has(o.out, "% of validation clips")) << o.out;
  EXPECT_TRUE(has(o.out, read_file(some_run() / "key").substr(0, 16))) << o.out;
  EXPECT_TRUE(has(o.out, "study small in small: 2 runs")) << o.out;
  EXPECT_TRUE(has(o.out, "2 runs, 1 study, ")) << o.out;
  // Runs of an earlier version have no status: their results tell.
  fs::remove(some_run() / "status");
  const auto old = inspect({"runs"});
  EXPECT_EQ(old.status, 0) << old.err;
  EXPECT_TRUE(has(old.out, "2 runs, 1 study, ")) << old.out;
  EXPECT_EQ(inspect({"nowhere", "--clean"}).status, 2);
  const auto wrong = inspect({"runs", "--csv", "history"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_TRUE(has(wrong.err, "--csv is for a result, not for a folder")) << wrong.err;
}

TEST_F(InspectFolder, CleansWhatNoResultNeedsWhenItIsToldTo) {
  EXPECT_EQ(inspect({"runs", "--clean"}).out, "0 files, 0.0 MB\n");
  fs::path store;
  for (const auto& entry : fs::directory_iterator(folder / "runs/features"))
    if (entry.path().extension() == ".h5") store = entry.path();
  ASSERT_FALSE(store.empty());
  const auto other = folder / "runs/features/0123456789abcdef0123456789abcdef.h5";
  fs::copy_file(store, other);
  write_file(some_run() / "damaged-result.h5", "x");
  write_file(some_run() / ".tmp-result.h5-1-0", "x");
  write_file(some_run() / ".lock", "");
  const auto named = inspect({"runs", "--clean"});
  EXPECT_EQ(named.status, 0) << named.err;
  EXPECT_TRUE(has(named.out, "0123456789abcdef.h5: features that no run here names")) << named.out;
  EXPECT_TRUE(has(named.out, "damaged-result.h5: was damaged, and put aside")) << named.out;
  EXPECT_TRUE(has(named.out, ".tmp-result.h5-1-0: a temporary of a dead process")) << named.out;
  EXPECT_TRUE(has(named.out, ".lock: a claim of a dead process")) << named.out;
  EXPECT_TRUE(has(named.out, "4 files, ")) << named.out;
  EXPECT_TRUE(fs::exists(other)) << "it names them, and removes nothing";
  const auto removed = inspect({"runs", "--clean=remove"});
  EXPECT_EQ(removed.status, 0) << removed.err;
  EXPECT_FALSE(fs::exists(other));
  EXPECT_FALSE(fs::exists(some_run() / "damaged-result.h5"));
  EXPECT_TRUE(fs::exists(store)) << "results need it";
  EXPECT_EQ(inspect({"runs", "--clean"}).out, "0 files, 0.0 MB\n");
  // What an earlier version's run needs is not known: nothing of the store goes.
  fs::copy_file(store, other);
  fs::remove(some_run() / "status");
  const auto kept = inspect({"runs", "--clean=remove"});
  EXPECT_TRUE(has(kept.out, "all feature files are kept")) << kept.out;
  EXPECT_TRUE(fs::exists(other));
}

TEST_F(InspectFolder, WritesTablesOfAResult) {
  const auto result = (some_run() / "result.h5").string();
  const auto predictions = inspect({result, "--csv", "predictions"});
  EXPECT_EQ(predictions.status, 0) << predictions.err;
  EXPECT_TRUE(predictions.out.starts_with("part,path,segment,label,prediction,")) << predictions.out;
  std::istringstream lines(predictions.out);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    std::string cell;
    double sum = 0;
    for (int i = 0; std::getline(cells, cell, ','); ++i)
      if (i >= 5) sum += std::stod(cell);
    EXPECT_NEAR(sum, 1, 1e-5) << line;
  }
  const auto history = inspect({result, "--csv", "history"});
  EXPECT_EQ(line_count(history.out), 3u) << history.out;
  EXPECT_TRUE(history.out.starts_with("epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n1,"));
  const auto splits = inspect({result, "--csv", "splits"});
  EXPECT_TRUE(splits.out.starts_with("row,part\n0,")) << splits.out;
  EXPECT_EQ(line_count(splits.out), 51u) << "every row once";
  EXPECT_EQ(inspect({result, "--csv", "weights"}).status, 2);
}

}  // namespace
}  // namespace timbre::end_to_end
