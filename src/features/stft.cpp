#include "features/stft.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "features/engine.hpp"
#include "features/fft.hpp"
#include "features/window.hpp"

namespace timbre::features {

std::mutex& fft_planner() {
  static std::mutex mutex;
  return mutex;
}

namespace {

template <class Real>
void multiply(const float* a, const Real* b, std::int64_t n, Real* out) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i) out[i] = Real(a[i]) * b[i];
  });
}

template <class Real>
void multiply_in_place(const Real* a, std::int64_t n, Real* out) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i) out[i] *= a[i];
  });
}

/// spectrum: n pairs (real, imaginary).
template <class Real>
void squares(const Real* spectrum, std::int64_t n, Real* out) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i)
      out[i] = spectrum[2 * i] * spectrum[2 * i] + spectrum[2 * i + 1] * spectrum[2 * i + 1];
  });
}

template <class Real>
void magnitudes(const Real* spectrum, std::int64_t n, Real* out) {
  vectorised([&] {
    for (std::int64_t i = 0; i < n; ++i)
      out[i] = std::sqrt(spectrum[2 * i] * spectrum[2 * i] + spectrum[2 * i + 1] * spectrum[2 * i + 1]);
  });
}

}  // namespace

template <class Real>
struct StftOf<Real>::Plan {
  typename Fftw<Real>::Plan plan;
  Plan(std::int64_t size, std::int64_t count, Real* in, std::int64_t in_stride, Real* out,
       std::int64_t out_stride) {
    const int n = static_cast<int>(size);
    const std::lock_guard lock(fft_planner());
    plan = Fftw<Real>::make(1, &n, static_cast<int>(count), in, nullptr, 1, static_cast<int>(in_stride),
                            reinterpret_cast<typename Fftw<Real>::Complex*>(out), nullptr, 1,
                            static_cast<int>(out_stride / 2), FFTW_ESTIMATE | FFTW_DESTROY_INPUT);
    if (!plan) throw std::logic_error("FFTW made no plan");
  }
  ~Plan() {
    const std::lock_guard lock(fft_planner());
    Fftw<Real>::destroy(plan);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
};

template <class Real>
StftOf<Real>::StftOf(const FeatureOptions& options, std::int64_t segment_samples)
    : samples_(segment_samples),
      frames_(frame_count(options, segment_samples)),
      bins_(options.bins()),
      size_(options.n_fft),
      hop_(options.hop_length),
      padding_(options.center ? options.n_fft / 2 : 0),
      power_(options.power),
      pad_mode_(padding_of(options.pad_mode)) {
  // Of frames; spectrum and rows add half as much again and more.
  constexpr std::int64_t cache_values = (std::int64_t{1} << 16) / std::int64_t{sizeof(Real)};
  const auto blocks = piece_count(frames_, std::max<std::int64_t>(1, cache_values / size_));
  block_ = blocks ? piece_count(frames_, blocks) : 1;
  frame_stride_ = static_cast<std::int64_t>(round_to_line(static_cast<std::size_t>(size_)));
  spectrum_stride_ = static_cast<std::int64_t>(round_to_line(static_cast<std::size_t>(2 * bins_)));
  row_stride_ = static_cast<std::int64_t>(round_to_line(static_cast<std::size_t>(bins_ + 8)));
  const auto window = window_values(options.window, options.window_samples(), options.n_fft);
  window_.reserve(window.size());
  for (const double v : window) window_.push_back(static_cast<Real>(v));
  frames_in_.resize(static_cast<std::size_t>(block_ * frame_stride_));
  spectrum_.resize(static_cast<std::size_t>(block_ * spectrum_stride_));
  const auto plan = [&](std::int64_t count) {
    return std::make_unique<Plan>(size_, count, frames_in_.data(), frame_stride_, spectrum_.data(),
                                  spectrum_stride_);
  };
  whole_ = plan(block_);
  if (const auto rest = frames_ % block_) rest_ = plan(rest);
}

template <class Real>
StftOf<Real>::~StftOf() = default;
template <class Real>
StftOf<Real>::StftOf(StftOf&&) noexcept = default;

/// frame[n] = window[n] x[begin + n], where x continues beyond the segment by the padding.
template <class Real>
void StftOf<Real>::fill_frame(const float* segment, std::int64_t begin, Real* frame) const {
  if (begin >= 0 && begin + size_ <= samples_) {
    multiply(segment + begin, window_.data(), size_, frame);
    return;
  }
  copy_padded(segment, samples_, begin, size_, pad_mode_, frame);
  multiply_in_place(window_.data(), size_, frame);
}

template <class Real>
void StftOf<Real>::transform(const float* segment, std::int64_t first, std::int64_t count) {
  const auto* plan = count == block_ ? whole_.get() : rest_.get();
  if (!plan || (count != block_ && count != frames_ % block_))
    throw std::logic_error("no plan for this block");
  for (std::int64_t t = 0; t < count; ++t)
    fill_frame(segment, (first + t) * hop_ - padding_, frames_in_.data() + t * frame_stride_);
  Fftw<Real>::execute(plan->plan);
  count_ = count;
  for (auto& power : powers_) power.done = false;
}

template <class Real>
const Real* StftOf<Real>::rows(double power) {
  auto it = std::find_if(powers_.begin(), powers_.end(), [&](const Power& p) { return p.exponent == power; });
  if (it == powers_.end()) {
    powers_.push_back({power, false, Aligned<Real>(static_cast<std::size_t>(block_ * row_stride_))});
    it = powers_.end() - 1;
  }
  if (it->done) return it->rows.data();
  it->done = true;
  for (std::int64_t t = 0; t < count_; ++t) {
    const Real* spectrum = spectrum_.data() + t * spectrum_stride_;
    Real* row = it->rows.data() + t * row_stride_;
    if (power == 1.0) {
      magnitudes(spectrum, bins_, row);
      continue;
    }
    squares(spectrum, bins_, row);
    if (power != 2.0) {
      const auto exponent = static_cast<Real>(power / 2);
      for (std::int64_t k = 0; k < bins_; ++k) row[k] = std::pow(row[k], exponent);
    }
  }
  return it->rows.data();
}

template class StftOf<float>;
template class StftOf<double>;

}  // namespace timbre::features
