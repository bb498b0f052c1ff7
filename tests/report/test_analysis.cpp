#include <gtest/gtest.h>

#include <algorithm>

#include "records.hpp"
#include "report/analysis.hpp"

namespace timbre::report {
namespace {

TEST(Analysis, RunsThatDifferInTheSeedAreOneConfiguration) {
  const auto r = sweep();
  const auto a = analyse(r.files(), {});
  ASSERT_EQ(a.families.size(), 1u);
  const auto& f = a.families[0];
  ASSERT_EQ(f.configurations.size(), 6u);
  for (const auto& c : f.configurations) EXPECT_EQ(c.runs.size(), 3u) << c.name;
  ASSERT_EQ(f.axes.size(), 2u);  // the dropout layer's rate follows from the global one, and is no axis
  EXPECT_EQ(f.axes[0].key, "regularisation.l2");
  EXPECT_EQ(f.axes[0].texts, (std::vector<std::string>{"0", "0.01", "0.1"}));
  EXPECT_EQ(f.axes[1].texts, (std::vector<std::string>{"off", "0.2"}));
  EXPECT_EQ(f.configurations[0].name, "l2 0, dropout off");
  EXPECT_EQ(f.reference, 0u);
  EXPECT_EQ(f.configurations[*f.chosen].name, "l2 0.1, dropout 0.2");
}

TEST(Analysis, FoldsRepeatARunAsSeedsDo) {
  Results r;
  for (const int fold : {0, 1}) {
    auto record = made({});
    record.key += std::to_string(fold);
    record.config.replace(record.config.find("folds: null, fold: 0"), 20,
                          fmt::format("folds: 5, fold: {}", fold));
    r.add(record);
  }
  const auto a = analyse(r.files(), {});
  ASSERT_EQ(a.families[0].configurations.size(), 1u);
  EXPECT_EQ(a.runs[1].repetition, "0, fold 1");
}

TEST(Analysis, GivenAxesArePreferredAndFilledUpWhereTheyDoNotTellApart) {
  const auto r = sweep();
  auto a = analyse(
      r.files(), {.axes = {"regularisation.dropout", "regularisation.l2", "training.epochs", "no.such.key"}});
  ASSERT_EQ(a.families[0].axes.size(), 2u);
  EXPECT_EQ(a.families[0].axes[0].key, "regularisation.dropout");
  a = analyse(r.files(), {.axes = {"regularisation.dropout"}});
  ASSERT_EQ(a.families[0].axes.size(), 2u);
  EXPECT_EQ(a.families[0].axes[1].key, "regularisation.l2");
}

TEST(Analysis, ValidationAloneChoosesAndTiesGoToTheLowerLoss) {
  Results r;
  r.add({.l2 = "0", .validation_right = 6, .test_right = 10});
  r.add({.l2 = "0.1", .validation_right = 7, .test_right = 1, .val_loss_shift = 0.2});
  r.add({.l2 = "0.2", .validation_right = 7, .test_right = 2, .val_loss_shift = 0});
  r.add({.l2 = "0.3", .validation_right = 7, .test_right = 3, .val_loss_shift = 0});
  const auto a = analyse(r.files(), {});
  EXPECT_EQ(*a.families[0].chosen, 2u);  // the lowest loss, and of the equal ones the first
}

TEST(Analysis, OneSeedHasWilsonsIntervalAndSeveralTheBootstrapOverClips) {
  Results one;
  one.add({.test_right = 7});
  auto a = analyse(one.files(), {});
  const auto& t = *a.families[0].configurations[0].test;
  const auto wilson = evaluation::wilson_interval(7, 10);
  EXPECT_FALSE(t.bootstrap);
  EXPECT_DOUBLE_EQ(t.clips.low, wilson.low);
  EXPECT_DOUBLE_EQ(t.clips.high, wilson.high);

  // Two seeds on the same clips: answers of a clip stay together, so that the interval is that of ten clips,
  // not twenty.
  Results two;
  two.add({.seed = 0, .test_right = 7});
  two.add({.seed = 1, .test_right = 7});
  a = analyse(two.files(), {});
  const auto& u = *a.families[0].configurations[0].test;
  std::vector<double> clips(10, 0.0);
  std::fill_n(clips.begin(), 7, 1.0);
  const auto bootstrap = evaluation::bootstrap_interval(clips);
  EXPECT_TRUE(u.bootstrap);
  EXPECT_EQ(u.tested, 10);
  EXPECT_EQ(u.answers, 20);
  EXPECT_DOUBLE_EQ(u.clips.low, bootstrap.low);
  EXPECT_DOUBLE_EQ(u.clips.high, bootstrap.high);
}

TEST(Analysis, ModelsAreComparedOnTheSameClipsOnly) {
  Results r;
  for (const int seed : {0, 1, 2}) {
    r.add({.experiment = "cnn", .seed = seed, .test_right = 9});
    r.add({.experiment = "mlp", .seed = seed, .test_right = 2});
    r.add({.experiment = "other", .seed = seed, .test_right = 2, .first_test_clip = 40});
  }
  const auto a = analyse(r.files(), {});
  ASSERT_EQ(a.comparisons.size(), 3u);
  const auto& c = a.comparisons[0];
  EXPECT_EQ(c.not_compared, "");
  EXPECT_EQ(c.first_better, 7);  // clips 2 to 8; a clip counts once, however many seeds
  EXPECT_EQ(c.second_better, 0);
  EXPECT_EQ(c.clips, 10);
  EXPECT_NEAR(c.p_value, 2 / 128.0, 1e-12);
  EXPECT_NEAR(c.adjusted, c.p_value, 1e-12);  // the only one compared
  EXPECT_NEAR(c.difference.mean, 0.7, 1e-12);
  EXPECT_TRUE(has(a.comparisons[1].not_compared, "same clips"));
  r.write();
  EXPECT_TRUE(has(r.html(), "cnn is better than mlp"));
}

TEST(Analysis, TheReferenceIsTheOneNamedOrThereIsNone) {
  Results r;
  r.add({.l2 = "0.3", .validation_right = 6, .test_right = 1});
  r.add({.l2 = "0.2", .validation_right = 8, .test_right = 7});
  const auto base = r.add({.l2 = "0", .validation_right = 5, .test_right = 5});
  const auto a = analyse(r.files(), {.references = std::vector{base}});
  ASSERT_EQ(a.families.size(), 1u);
  const auto& f = a.families[0];
  EXPECT_EQ(f.reference, 2u);
  EXPECT_NEAR(f.configurations[1].difference.mean, 0.3, 1e-12);
  EXPECT_NEAR(f.against_reference->difference.mean, 0.2, 1e-12);
  EXPECT_FALSE(f.configurations[0].test);  // the first draw has no place of its own

  // A search whose base failed.
  const auto none = analyse(r.files(), {.references = std::vector<std::filesystem::path>{}}).families[0];
  EXPECT_FALSE(none.reference);
  EXPECT_EQ(none.chosen, 1u);
  EXPECT_EQ(none.configurations[1].difference.n, 0);
  EXPECT_FALSE(none.against_reference);
  EXPECT_FALSE(none.configurations[0].test);
  EXPECT_TRUE(none.configurations[1].test);
  r.write({.references = std::vector<std::filesystem::path>{}});
  for (const auto& text : {r.html(), r.markdown()}) {
    EXPECT_TRUE(has(text, "No reference: mlp.")) << text;
    EXPECT_TRUE(has(text, "there is no reference to set it against"));
  }
  EXPECT_FALSE(has(r.markdown(), "(reference)"));
}

TEST(Analysis, ClipsThatEveryModelGetsWrongAreNamed) {
  Results r;
  r.add({.experiment = "cnn", .test_right = 8});
  r.add({.experiment = "mlp", .test_right = 9});
  const auto a = analyse(r.files(), {});
  EXPECT_EQ(a.tested_by_all, 10);
  ASSERT_EQ(a.wrong_clips.size(), 1u);
  EXPECT_EQ(a.wrong_clips[0].path, "genre1/clip09.wav");
  EXPECT_EQ(a.wrong_clips[0].label, 1);
  EXPECT_EQ(a.wrong_clips[0].taken_for, (std::vector<std::vector<std::int32_t>>{{0}, {0}}));
}

TEST(Analysis, ConfusionsAreSummedOverSeeds) {
  Results r;
  for (const int seed : {0, 1}) r.add({.seed = seed, .test_right = 8});
  const auto a = analyse(r.files(), {});
  EXPECT_EQ(a.families[0].detail->confusion, (std::vector<std::int32_t>{8, 2, 2, 8}));
  EXPECT_NEAR(a.families[0].detail->clips.error, 0.05, 1e-6);  // sure by 0.75, right by 0.8
}

TEST(Analysis, SongsOfTheSameNamesInAnotherPlaceAreNotTheSameClips) {
  Results r;
  auto record = made({});
  r.add(record);
  record.key = "other songs";
  record.config.replace(record.config.find("/music/0"), 8, "/songs/0");
  r.add(record);
  const auto a = analyse(r.files(), {});
  ASSERT_EQ(a.families.size(), 2u);
  EXPECT_EQ(a.families[1].name, "mlp (dataset_place /songs/0)");
  ASSERT_EQ(a.comparisons.size(), 1u);
  EXPECT_TRUE(has(a.comparisons[0].not_compared, "same clips"));
}

TEST(Analysis, AFileNamedTwiceIsReadOnceAndFoldersAreSearched) {
  Results r;
  const auto file = r.add(Made{});
  EXPECT_EQ(analyse({file, file}, {}).runs.size(), 1u);
  const test::TemporaryFolder folder;
  for (const std::string name : {"b/x", "a"}) {
    std::filesystem::create_directories(folder / name);
    std::filesystem::copy_file(file, folder / (name + "/result.h5"));
  }
  EXPECT_EQ(find_results(folder.path()),
            (std::vector<std::filesystem::path>{folder / "a/result.h5", folder / "b/x/result.h5"}));
  EXPECT_EQ(find_results(file), (std::vector<std::filesystem::path>{file}));
}

}  // namespace
}  // namespace timbre::report
