#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "audio/waveform.hpp"
#include "core/error.hpp"

namespace timbre::audio {
namespace {

constexpr int rate = 8000;

std::vector<float> tone() {
  std::vector<float> x(4000);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = 0.3f * std::sin(0.05f * float(i)) + 0.001f * float(i % 97);
  return x;
}

WaveformOptions options_of(const std::string& yaml) {
  const auto node = config::parse_text(yaml, "a.yaml", ".");
  return schema(config::of<WaveformOptions>{}).parse(config::Reader(node, "augmentation.waveform"));
}

std::vector<float> changed(const std::string& yaml, std::uint64_t seed = 1, std::uint32_t copy = 1) {
  auto x = tone();
  change_waveform(options_of(yaml), seed, copy, rate, x);
  return x;
}

TEST(Waveform, GainAndPolarityMultiply) {
  const auto x = tone();
  double least = 100, largest = -100;
  int turned = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto y = changed("{gain: {db: [-6, 3]}, polarity: {probability: 0.25}}", seed);
    const double factor = double(y[40]) / double(x[40]), db = 20 * std::log10(std::abs(factor));
    for (std::size_t i = 0; i < x.size(); i += 37) ASSERT_NEAR(y[i], factor * double(x[i]), 1e-6);
    least = std::min(least, db), largest = std::max(largest, db), turned += factor < 0;
  }
  EXPECT_TRUE(least >= -6.001 && least < -5.8 && largest <= 3.001 && largest > 2.8)
      << least << " " << largest;
  EXPECT_NEAR(turned, 100, 30);
}

TEST(Waveform, AShiftTurnsTheSegmentRound) {
  const auto x = tone();
  std::int64_t farthest = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto y = changed("{time_shift: {seconds: 0.1}}", seed);
    std::int64_t shift = -801;
    for (std::int64_t s = -800; s <= 800 && shift == -801; ++s) {
      bool same = true;
      for (std::int64_t i = 0; i < 4000 && same; ++i)
        same = y[std::size_t((i + s + 4000) % 4000)] == x[std::size_t(i)];
      if (same) shift = s;
    }
    ASSERT_NE(shift, -801) << "no shift within the limit";
    farthest = std::max(farthest, std::abs(shift));
  }
  EXPECT_GT(farthest, 700);
}

TEST(Waveform, NoiseHasTheRatioThatIsAskedForAndSilenceStays) {
  const auto x = tone();
  double signal = 0;
  for (const float v : x) signal += double(v) * double(v);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto y = changed("{noise: {snr_db: [10, 30]}}", seed);
    double noise = 0, mean = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      noise += std::pow(double(y[i]) - double(x[i]), 2), mean += (double(y[i]) - double(x[i])) / 4000;
    const double snr = 10 * std::log10(signal / noise);
    EXPECT_TRUE(snr > 9.7 && snr < 30.3) << snr;
    EXPECT_NEAR(mean, 0, 5 * std::sqrt(noise) / 4000);
  }
  std::vector<float> silence(500);
  change_waveform(options_of("{noise: {}}"), 1, 1, rate, silence);
  EXPECT_TRUE(std::ranges::all_of(silence, [](float v) { return v == 0; }));
}

TEST(Waveform, FollowsFromTheSeedAndTheCopy) {
  const std::string all = "{time_shift: {}, polarity: {}, gain: {}, noise: {}}";
  EXPECT_EQ(changed(all), changed(all));
  EXPECT_NE(changed(all), changed(all, 2));
  EXPECT_NE(changed(all), changed(all, 1, 2));
}

TEST(Waveform, IsRefusedWhereItMakesNoSense) {
  const auto why = [](const std::string& yaml) -> std::string {
    try {
      options_of(yaml);
    } catch (const RequestError& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(why("{gain: {db: [3, -3]}}"),
            "a.yaml:1:8: augmentation.waveform.gain: db must be [low, high], in this order");
  EXPECT_EQ(why("{noise: {snr_db: [3]}}"),
            "a.yaml:1:9: augmentation.waveform.noise: snr_db must be [low, high], in this order");
  EXPECT_EQ(
      why("{copies: 2}").find("a.yaml:1:1: augmentation.waveform: needs one of time_shift, polarity, gain"),
      0u)
      << why("{copies: 2}");
  EXPECT_EQ(why("{copies: 0, gain: {}}").find("a.yaml:1:10: augmentation.waveform.copies: must be between 1"),
            0u)
      << why("{copies: 0, gain: {}}");
  EXPECT_EQ(why("{copies: 3, gain: {}}"), "no error");
}

}  // namespace
}  // namespace timbre::audio
