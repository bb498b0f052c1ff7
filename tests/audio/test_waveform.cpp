#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "audio/time_and_pitch.hpp"
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

/// Hz of a tone, from the places where it rises through zero in its middle.
double frequency_of(const std::vector<float>& x) {
  std::vector<double> rises;
  for (std::size_t i = x.size() / 4; i + 1 < 3 * x.size() / 4; ++i)
    if (x[i] < 0 && x[i + 1] >= 0)
      rises.push_back(double(i) - double(x[i]) / (double(x[i + 1]) - double(x[i])));
  return rate * double(rises.size() - 1) / (rises.back() - rises.front());
}

std::vector<float> sine(double frequency, std::size_t size) {
  std::vector<float> x(size);
  for (std::size_t i = 0; i < size; ++i)
    x[i] = float(0.4 * std::sin(2 * 3.14159265358979 * frequency * double(i) / rate));
  return x;
}

TEST(TimeAndPitch, EachChangesWithoutTheOther) {
  const auto x = sine(440, 16000);
  for (const double speed : {0.7, 0.9, 1.0, 1.25})
    for (const double semitones : {-5.0, 0.0, 2.0}) {
      const auto y = change_time_and_pitch(x, rate, speed, semitones);
      EXPECT_EQ(y.size(), std::size_t(std::llround(16000 / speed)));
      const double expected = 440 * std::exp2(semitones / 12);
      EXPECT_NEAR(frequency_of(y), expected, 0.003 * expected) << speed << " " << semitones;
      double power = 0;
      for (std::size_t i = y.size() / 4; i < 3 * y.size() / 4; ++i) power += double(y[i]) * double(y[i]);
      EXPECT_NEAR(power / double(y.size() / 2), 0.08, 0.012) << "it is as loud as before";
    }
  EXPECT_EQ(change_time_and_pitch(x, rate, 0.9, 2), change_time_and_pitch(x, rate, 0.9, 2));
}

TEST(TimeAndPitch, AClickComesWhenTheSpeedSays) {
  std::vector<float> x(16000);
  for (int i = 0; i < 40; ++i) x[std::size_t(8000 + i)] = i % 2 == 0 ? 0.8F : -0.8F;
  for (const double speed : {0.8, 1.25}) {
    const auto y = change_time_and_pitch(x, rate, speed, 0);
    const auto loudest = std::ranges::max_element(y, {}, [](float v) { return std::abs(v); }) - y.begin();
    EXPECT_NEAR(double(loudest), 8000 / speed, 0.02 * rate) << speed;
  }
}

TEST(TimeAndPitch, TakesEveryLength) {
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 500U, 1023U, 4001U}) {
    const auto x = sine(440, size);
    for (const double speed : {0.25, 0.9, 4.0}) {
      const auto y = change_time_and_pitch(x, rate, speed, 24);
      EXPECT_EQ(y.size(), size < 64 ? size : std::size_t(std::llround(double(size) / speed)));
      for (const float v : y) ASSERT_TRUE(std::isfinite(v));
    }
  }
  const std::vector<float> silence(3000);
  for (const float v : change_time_and_pitch(silence, rate, 1.1, -3)) ASSERT_NEAR(v, 0, 1e-9);
}

TEST(Waveform, ASegmentKeepsItsLengthWhateverItsSpeed) {
  for (const auto* yaml :
       {"{stretch: {rate: [0.5, 0.5]}}", "{stretch: {rate: [2, 2]}}", "{pitch: {semitones: [12, 12]}}"}) {
    auto x = sine(300, 8000);
    change_waveform(options_of(yaml), 3, 1, rate, x);
    EXPECT_EQ(x.size(), 8000U);
    const double expected = std::string(yaml).find("pitch") != std::string::npos ? 600 : 300;
    // (What is quicker is repeated: the middle of the segment holds a seam.)
    const std::vector<float> first(x.begin(), x.begin() + 3900);
    EXPECT_NEAR(frequency_of(first), expected, 0.01 * expected) << yaml;
    double tail = 0;
    for (std::size_t i = 7000; i < 8000; ++i) tail += double(x[i]) * double(x[i]);
    EXPECT_GT(tail / 1000, 0.02) << yaml << ": no silence at the end";
  }
}

TEST(Waveform, FollowsFromTheSeedAndTheCopy) {
  const std::string all = "{stretch: {}, pitch: {}, time_shift: {}, polarity: {}, gain: {}, noise: {}}";
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
  EXPECT_EQ(why("{stretch: {rate: [1.1, 0.9]}}"),
            "a.yaml:1:11: augmentation.waveform.stretch: rate must be [low, high], in this order");
  EXPECT_EQ(why("{pitch: {semitones: [0, 90]}}").find("a.yaml:1:25: augmentation.waveform.pitch.semitones"),
            0U)
      << why("{pitch: {semitones: [0, 90]}}");
  EXPECT_EQ(why("{noise: {snr_db: [3]}}"),
            "a.yaml:1:9: augmentation.waveform.noise: snr_db must be [low, high], in this order");
  EXPECT_EQ(
      why("{copies: 2}").find("a.yaml:1:1: augmentation.waveform: needs one of stretch, pitch, time_shift"),
      0u)
      << why("{copies: 2}");
  EXPECT_EQ(why("{copies: 0, gain: {}}").find("a.yaml:1:10: augmentation.waveform.copies: must be between 1"),
            0u)
      << why("{copies: 0, gain: {}}");
  EXPECT_EQ(why("{copies: 3, gain: {}}"), "no error");
}

}  // namespace
}  // namespace timbre::audio
