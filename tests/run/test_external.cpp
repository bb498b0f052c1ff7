// A run on a table from elsewhere: its logistic baseline is scikit-learn's, and its key speaks of the table's content.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "results/run_record.hpp"
#include "run/run.hpp"
#include "storage/hdf5.hpp"

namespace timbre::run {
namespace {

namespace fs = std::filesystem;

class ExternalRun : public testing::Test {
 protected:
  ExternalRun() {
    auto name = (fs::temp_directory_path() / "timbre-external-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    root = name;
    fs::copy_file(fs::path(TIMBRE_TEST_DATA) / "external_logistic.csv", root / "table.csv");
    std::ifstream in(root / "table.csv");
    std::ofstream lists[] = {std::ofstream(root / "train.txt"), std::ofstream(root / "valid.txt"),
                             std::ofstream(root / "test.txt")};
    std::string line;
    std::getline(in, line);
    for (int i = 0; std::getline(in, line); ++i)
      lists[i < 120 ? 0 : i < 160 ? 1 : 2] << line.substr(0, line.find(',')) << "\n";
    write("a.yaml", R"(experiment: a
features: {external: {file: table.csv, ids: id}, standardise: true}
split: {lists: {train: train.txt, validation: valid.txt, test: test.txt}}
model: [flatten, dense: {units: classes, activation: softmax}]
training: {epochs: 2}
)");
  }
  ~ExternalRun() override {
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  void write(const fs::path& name, const std::string& text) { std::ofstream(root / name) << text; }
  Plan plan(const std::vector<std::string>& overrides = {}) {
    return make_plan(load_run_config(root / "a.yaml", overrides));
  }
  RunOutcome execute_plan(const Plan& p) {
    Watcher nobody;
    return execute(p, {.runs = root / "runs", .threads = 1}, nobody);
  }
  fs::path root;
};

TEST_F(ExternalRun, HasTheLogisticBaselineOfScikitLearn) {
  const auto record = results::read_result(execute_plan(plan()).result);
  const auto golden = storage::H5File::open(fs::path(TIMBRE_TEST_DATA) / "external_logistic.h5");
  const auto penalties = golden.read_doubles("/penalty");
  const auto all = golden.read_doubles("/probabilities");  // [penalties, 40, 3]
  ASSERT_EQ(all.size(), penalties.size() * 120);
  const results::BaselineRecord* logistic = nullptr;
  for (const auto& b : record.scores.baselines)
    if (b.name == "logistic") logistic = &b;
  ASSERT_TRUE(logistic);
  const auto which = std::find(penalties.begin(), penalties.end(), logistic->penalty) - penalties.begin();
  ASSERT_LT(std::size_t(which), penalties.size());
  ASSERT_EQ(logistic->probabilities.size(), 120u);
  const auto& clips = record.test->clips.path;
  ASSERT_EQ(clips.size(), 40u);
  double worst = 0;
  for (std::size_t row = 0; row < 40; ++row) {
    const auto& path = clips[std::size_t(record.test->clip[row])];  // rock/rock.00161.wav
    const auto number = std::stoul(path.substr(path.find('.') + 1, 5));
    for (std::size_t c = 0; c < 3; ++c)
      worst = std::max(worst, std::abs(logistic->probabilities[row * 3 + c] -
                                       all[std::size_t(which) * 120 + (number - 160) * 3 + c]));
  }
  EXPECT_LT(worst, 1e-5);
}

TEST_F(ExternalRun, IsTheSameRunWhereverTheTableIs) {
  Watcher nobody;
  ThreadPool pool(1);
  const auto key = [&](const Plan& p) {
    return run_key(p, prepare_plan_features(p, {.runs = root / "runs"}, pool, nobody));
  };
  const auto here = key(plan());
  fs::create_directory(root / "there");
  fs::rename(root / "table.csv", root / "there/other.csv");
  EXPECT_EQ(key(plan({"features.external.file=" + (root / "there/other.csv").string()})), here);
  // Another number is another run.
  std::ifstream in(root / "there/other.csv");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  text.replace(text.find("\n") + 20, 1, text[text.find("\n") + 20] == '1' ? "2" : "1");
  write("there/other.csv", text);
  EXPECT_NE(key(plan({"features.external.file=" + (root / "there/other.csv").string()})), here);
}

TEST_F(ExternalRun, ResolvesItsShapeAndColumnsAndNothingOfAudio) {
  const auto yaml = resolved_yaml(plan());
  EXPECT_NE(yaml.find("columns: [x0, x1, x2, x3, x4, x5, x6, x7]"), yaml.npos) << yaml;
  EXPECT_NE(yaml.find("width: 8"), yaml.npos);
  EXPECT_EQ(yaml.find("n_fft"), yaml.npos);
  const auto again = parse_run_config(yaml, "resolved");
  EXPECT_EQ(again.features.external->width, 8);
}

TEST_F(ExternalRun, SaysInItsNotesHowClipsWereRebuilt) {
  write("t.json", R"({"mapping": ["a", "b"], "labels": [0,0,0,0,0,0,1,1,1,1,1,1],
 "mfcc": [[[1]],[[2]],[[3]],[[4]],[[5]],[[6]],[[7]],[[8]],[[9]],[[10]],[[11]],[[12]]]})");
  write("b.yaml", R"(experiment: b
features: {external: {file: t.json, rows_per_clip: 2}}
split: {train: 0.34, validation: 0.33, test: 0.33}
model: [flatten, dense: {units: classes, activation: softmax}]
training: {epochs: 1}
)");
  const auto record =
      results::read_result(execute_plan(make_plan(load_run_config(root / "b.yaml", {}))).result);
  bool said = false;
  for (const auto& [name, text] : record.split.notes)
    said |=
        text.find("each 2 rows in a row of one label are taken for a clip (6 clips rebuilt)") != text.npos;
  EXPECT_TRUE(said);
  EXPECT_EQ(record.test->rows(), 4);
}

}  // namespace
}  // namespace timbre::run
