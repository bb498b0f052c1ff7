#include "features/stft.hpp"

#include <fftw3.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <stdexcept>

#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "features/engine.hpp"
#include "features/window.hpp"

namespace timbre::features {
namespace {

/// FFTW's planner is the one part of it that is not thread-safe.
std::mutex& planner() {
  static std::mutex mutex;
  return mutex;
}

void multiply(const float* a, const float* b, std::int64_t n, float* out) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i) out[i] = a[i] * b[i];
  });
}

void multiply_in_place(const float* a, std::int64_t n, float* out) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i) out[i] *= a[i];
  });
}

/// spectrum: n pairs (real, imaginary).
void squares(const float* spectrum, std::int64_t n, float* out) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i)
      out[i] = spectrum[2 * i] * spectrum[2 * i] + spectrum[2 * i + 1] * spectrum[2 * i + 1];
  });
}

void magnitudes(const float* spectrum, std::int64_t n, float* out) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i)
      out[i] = std::sqrt(spectrum[2 * i] * spectrum[2 * i] + spectrum[2 * i + 1] * spectrum[2 * i + 1]);
  });
}

/// Position in [0, n) of a sample outside it, mirrored without repeating the ends, as often as needed.
std::int64_t reflected(std::int64_t i, std::int64_t n) {
  if (n == 1) return 0;
  const std::int64_t period = 2 * (n - 1);
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - i;
}

}  // namespace

struct Stft::Plan {
  fftwf_plan plan;
  Plan(std::int64_t size, std::int64_t count, float* in, std::int64_t in_stride, float* out,
       std::int64_t out_stride) {
    const int n = static_cast<int>(size);
    const std::lock_guard lock(planner());
    plan =
        fftwf_plan_many_dft_r2c(1, &n, static_cast<int>(count), in, nullptr, 1, static_cast<int>(in_stride),
                                reinterpret_cast<fftwf_complex*>(out), nullptr, 1,
                                static_cast<int>(out_stride / 2), FFTW_ESTIMATE | FFTW_DESTROY_INPUT);
    if (!plan) throw std::logic_error("FFTW made no plan");
  }
  ~Plan() {
    const std::lock_guard lock(planner());
    fftwf_destroy_plan(plan);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
};

Stft::Stft(const FeatureOptions& options, std::int64_t segment_samples)
    : samples_(segment_samples),
      frames_(frame_count(options, segment_samples)),
      bins_(options.bins()),
      size_(options.n_fft),
      hop_(options.hop_length),
      padding_(options.center ? options.n_fft / 2 : 0),
      power_(options.power),
      pad_mode_(options.pad_mode == "constant" ? Padding::zeros
                : options.pad_mode == "edge"   ? Padding::edge
                                               : Padding::reflect) {
  constexpr std::int64_t cache_floats =
      1 << 14;  // of frames; spectrum and rows add half as much again and more
  const auto blocks = piece_count(frames_, std::max<std::int64_t>(1, cache_floats / size_));
  block_ = blocks ? piece_count(frames_, blocks) : 1;
  frame_stride_ = static_cast<std::int64_t>(round_to_line(static_cast<std::size_t>(size_)));
  spectrum_stride_ = static_cast<std::int64_t>(round_to_line(static_cast<std::size_t>(2 * bins_)));
  row_stride_ = static_cast<std::int64_t>(round_to_line(static_cast<std::size_t>(bins_ + 8)));
  const auto window = make_window(options.window, options.window_samples(), options.n_fft);
  window_.assign(window.begin(), window.end());
  frames_in_.resize(static_cast<std::size_t>(block_ * frame_stride_));
  spectrum_.resize(static_cast<std::size_t>(block_ * spectrum_stride_));
  rows_.resize(static_cast<std::size_t>(block_ * row_stride_));
  const auto plan = [&](std::int64_t count) {
    return std::make_unique<Plan>(size_, count, frames_in_.data(), frame_stride_, spectrum_.data(),
                                  spectrum_stride_);
  };
  whole_ = plan(block_);
  if (const auto rest = frames_ % block_) rest_ = plan(rest);
}

Stft::~Stft() = default;
Stft::Stft(Stft&&) noexcept = default;

/// frame[n] = window[n] x[begin + n], where x continues beyond the segment by the padding.
void Stft::fill_frame(const float* segment, std::int64_t begin, float* frame) const {
  const auto end = begin + size_;
  if (begin >= 0 && end <= samples_) {
    multiply(segment + begin, window_.data(), size_, frame);
    return;
  }
  const auto inside_begin = std::clamp<std::int64_t>(0, begin, end),
             inside_end = std::clamp(samples_, begin, end);
  const auto outside = [&](std::int64_t i) {
    if (pad_mode_ == Padding::zeros) return 0.0f;
    return segment[pad_mode_ == Padding::edge ? std::clamp<std::int64_t>(i, 0, samples_ - 1)
                                              : reflected(i, samples_)];
  };
  for (auto i = begin; i < inside_begin; ++i) frame[i - begin] = outside(i);
  if (inside_begin < inside_end)
    std::copy(segment + inside_begin, segment + inside_end, frame + (inside_begin - begin));
  for (auto i = std::max(inside_begin, inside_end); i < end; ++i) frame[i - begin] = outside(i);
  multiply_in_place(window_.data(), size_, frame);
}

const float* Stft::rows(const float* segment, std::int64_t first, std::int64_t count) {
  const auto* plan = count == block_ ? whole_.get() : rest_.get();
  if (!plan || (count != block_ && count != frames_ % block_))
    throw std::logic_error("no plan for this block");
  for (std::int64_t t = 0; t < count; ++t)
    fill_frame(segment, (first + t) * hop_ - padding_, frames_in_.data() + t * frame_stride_);
  fftwf_execute(plan->plan);
  for (std::int64_t t = 0; t < count; ++t) {
    const float* spectrum = spectrum_.data() + t * spectrum_stride_;
    float* row = rows_.data() + t * row_stride_;
    if (power_ == 1.0) {
      magnitudes(spectrum, bins_, row);
      continue;
    }
    squares(spectrum, bins_, row);
    if (power_ != 2.0) {
      const auto exponent = static_cast<float>(power_ / 2);
      for (std::int64_t k = 0; k < bins_; ++k) row[k] = std::pow(row[k], exponent);
    }
  }
  return rows_.data();
}

}  // namespace timbre::features
