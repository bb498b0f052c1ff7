// A stream of samples brought down to 5,512.5 Hz, for fingerprints: cheap, and good up to 2,000 Hz.
//
// Where the rate is a whole multiple of it, a windowed sinc of 8 taps per low sample (Hann, half of the amplitude at
// 2,756 Hz), computed for the samples that are kept alone; else libsoxr at its low quality. The delays of the two
// differ by less than a millisecond.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

struct soxr;

namespace timbre::data {

inline constexpr double low_rate = 5512.5;  // Hz

class LowRate {
 public:
  LowRate();
  ~LowRate();
  /// Begins a stream of this rate. Throws Error where it cannot be resampled.
  void begin(int rate);
  /// Appends to `out` what the next samples come to; an empty span ends the stream.
  void add(std::span<const float> samples, std::vector<float>& out);

 private:
  struct Delete {
    void operator()(soxr* r) const;
  };
  void decimate(std::vector<float>& out);

  int rate_ = 0;
  std::size_t factor_ = 0;     // 0: the resampler's work
  std::vector<float> taps_;    // [8 factor]
  std::vector<float> held_;    // samples that windows to come reach back to
  std::vector<float> phases_;  // [factor, samples / factor]
  std::unique_ptr<soxr, Delete> resampler_;
};

}  // namespace timbre::data
