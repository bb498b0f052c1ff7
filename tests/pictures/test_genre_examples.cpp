#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "audio/wav_file.hpp"
#include "pictures/genre_examples.hpp"
#include "plot/read_svg.hpp"
#include "run/run.hpp"
#include "storage/temporary_folder.hpp"

namespace timbre::pictures {
namespace {

namespace fs = std::filesystem;

run::Plan plan_of(const std::string& dataset) {
  static const test::TemporaryFolder folder;
  const auto file = folder / "run.yaml";
  std::ofstream(file) << "dataset: " << dataset
                      << "\nfeatures: {kind: mfcc, n_mfcc: 13}\nmodel: [flatten, {dense: {units: classes, "
                         "activation: softmax}}]\ntraining: {epochs: 1}\n";
  return run::make_plan(run::load_run_config(file, {}));
}

std::vector<FeaturePicture> examples(const run::Plan& plan) {
  return genre_examples(plan.clips, plan.config.dataset, plan.config.features);
}

std::vector<float> tone(double hertz, double seconds) {
  std::vector<float> out(std::size_t(seconds * 22050));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = float(0.5 * std::sin(6.2831853 * hertz * double(i) / 22050));
  return out;
}

/// y in the spectrogram of a small picture, of 92 rows, logarithmic from three bins on.
int row_of(double hertz) {
  const double low = 3 * 22050.0 / 2048;
  return int(92 * (1 - std::log(hertz / low) / std::log(11025 / low)));
}

TEST(GenreExamples, ShowEverySyntheticGenre) {
  const auto plan = plan_of("{synthetic: {clips_per_genre: 5, clip_seconds: 3}}");
  const auto pictures = examples(plan);
  ASSERT_EQ(pictures.size(), plan.clips.label_names.size());
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    EXPECT_EQ(pictures[i].title, plan.clips.label_names[i]);
    EXPECT_NE(pictures[i].alt.find("first 3 s of " + pictures[i].title + "/"), std::string::npos)
        << pictures[i].alt;
    EXPECT_EQ(test::xml_problem(pictures[i].svg), "");
    EXPECT_LT(pictures[i].svg.size(), 25'000u);
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(pictures[i].svg, pictures[j].svg);
  }
  EXPECT_EQ(examples(plan).back().svg, pictures.back().svg);
}

TEST(GenreExamples, TakeTheFirstClipThatHoldsASegment) {
  const test::TemporaryFolder folder;
  for (const auto* genre : {"bad", "high", "low"}) fs::create_directories(folder / genre);
  for (int i = 0; i < 5; ++i) {
    const auto name = std::to_string(i) + ".wav";
    std::ofstream(folder.path() / "bad" / name) << "no music\n";
    test::write_wav(folder.path() / "low" / name, tone(i == 0 ? 200 : 5000, 4), 22050);
    test::write_wav(folder.path() / "high" / name, tone(i == 2 ? 3000 : 100, i == 1 ? 1 : 4), 22050);
  }
  std::ofstream(folder.path() / "high" / "0.wav") << "no music\n";
  const auto pictures = examples(plan_of("{path: " + folder.path().string() + "}"));
  ASSERT_EQ(pictures.size(), 2u) << "a genre without a readable clip has none";
  EXPECT_EQ(pictures[0].alt, "high: spectrogram and MFCCs of the first 3 s of high/2.wav");
  EXPECT_EQ(pictures[1].alt, "low: spectrogram and MFCCs of the first 3 s of low/0.wav");
  EXPECT_NEAR(test::bitmaps_of(pictures[0].svg).at(0).brightest_row(100), row_of(3000), 1);
  EXPECT_NEAR(test::bitmaps_of(pictures[1].svg).at(0).brightest_row(100), row_of(200), 2);
}

TEST(GenreExamples, ShowRealMusic) {
  const fs::path music = fs::path(TIMBRE_SHARED_DATA) / "gtzan_mini";
  if (!fs::exists(music)) GTEST_SKIP() << "no real music at " << music;
  const auto pictures = examples(plan_of("{path: " + fs::absolute(music).string() + "}"));
  ASSERT_EQ(pictures.size(), 10u);
  EXPECT_EQ(pictures[0].title, "blues");
  for (const auto& p : pictures) EXPECT_LT(p.svg.size(), 25'000u) << p.title;
}

}  // namespace
}  // namespace timbre::pictures
