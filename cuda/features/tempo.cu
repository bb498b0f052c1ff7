// tempo (features/tempo.hpp has the formula): the autocorrelations of the onset envelope around each frame, averaged, and the
// likeliest lag.
//
// Rows of 2 W values, of which the second half is zeros, are transformed; the squares of their spectrum, laid out as a row
// again, are transformed by the same plan, whose real parts are the autocorrelation times 2 W. A warp finds the largest of a
// row, a thread adds a lag up over rows in their order, and a warp takes a segment's best lag.
#include <algorithm>
#include <span>
#include <vector>

#include "cuda/features/batched_fft.hpp"
#include "cuda/features/cuda_feature.hpp"
#include "cuda/features/frames.cuh"
#include "cuda/features/onset_envelope.hpp"
#include "cuda/support/elementwise.cuh"
#include "features/norms.hpp"
#include "features/tempo.hpp"
#include "features/window.hpp"

namespace timbre::cuda {

/// One value of rows [count, 2 lags] around the frames [first, first + count) of one segment's envelope [frames], which falls to 0
/// in lags / 2 steps beyond its ends. Rows behind the last frame are zeros.
struct TempoRow {
  const double *envelope, *window;
  std::int64_t frames, lags, first;
  double* rows;
  template <class Index>
  __device__ void operator()(Index i) const {
    const std::int64_t k = i % static_cast<Index>(2 * lags), t = first + i / static_cast<Index>(2 * lags);
    const std::int64_t pad = lags / 2, at = t - pad + k;
    double value = 0.0;
    if (t < frames && k < lags) {
      if (at < 0)
        value = envelope[0] * static_cast<double>(at + pad) / static_cast<double>(pad);
      else if (at >= frames)
        value = envelope[frames - 1] * static_cast<double>(frames + pad - 1 - at) / static_cast<double>(pad);
      else
        value = envelope[at];
      value *= window[k];
    }
    rows[i] = value;
  }
};

/// One value of rows [count, 2 lags]: the squares of spectrum [count, lags + 1], and behind them their mirror image.
struct TempoSquares {
  const double2* spectrum;
  std::int64_t lags;
  double* rows;
  template <class Index>
  __device__ void operator()(Index i) const {
    const std::int64_t k = i % static_cast<Index>(2 * lags), row = i / static_cast<Index>(2 * lags);
    const double2 z = spectrum[row * (lags + 1) + (k <= lags ? k : 2 * lags - k)];
    rows[i] = z.x * z.x + z.y * z.y;
  }
};

/// autocorrelation [count, lags + 1], times 2 lags: real parts -> scales [count], what a row is multiplied by.
__global__ void __launch_bounds__(128)
    tempo_scales_kernel(const double2* __restrict__ autocorrelation, std::int64_t count, std::int64_t lags,
                        double* __restrict__ scales) {
  const auto row = frame_of_warp();
  if (row >= count) return;
  double largest = 0.0;
  for (auto l = static_cast<std::int64_t>(lane_of_thread()); l < lags; l += warp_size)
    largest = fmax(largest, fabs(autocorrelation[row * (lags + 1) + l].x));
  largest = warp_largest(largest);
  if (lane_of_thread() != 0) return;
  const double size = static_cast<double>(2 * lags);
  scales[row] = largest / size < features::smallest_norm ? 1.0 / size : 1.0 / largest;
}

/// Adds the rows to a lag's sum, or begins it.
struct TempoSum {
  const double2* autocorrelation;
  const double* scales;
  std::int64_t count, lags;
  bool begins;
  double* sums;
  template <class Index>
  __device__ void operator()(Index lag) const {
    double sum = begins ? 0.0 : sums[lag];
    for (std::int64_t row = 0; row < count; ++row)
      sum += autocorrelation[row * (lags + 1) + lag].x * scales[row];
    sums[lag] = sum;
  }
};

/// sums [segments, lags] over `frames` frames -> out [segments, frames], the tempo of the best lag.
__global__ void __launch_bounds__(128)
    tempo_kernel(const double* __restrict__ sums, std::int64_t segments, std::int64_t frames,
                 std::int64_t lags, features::TempoScore score, float* __restrict__ out) {
  const auto segment = frame_of_warp();
  if (segment >= segments) return;
  double highest = 0.0;
  std::int64_t best = 0;
  const auto better = [&](double s, std::int64_t lag) {
    if (lag > 0 && (best == 0 || s > highest || (s == highest && lag < best))) highest = s, best = lag;
  };
  for (auto l = static_cast<std::int64_t>(lane_of_thread()); l < lags; l += warp_size)
    if (l > 0 && score.allowed(l)) better(score.of(l, sums[segment * lags + l] / double(frames)), l);
  for (int distance = warp_size / 2; distance > 0; distance /= 2) {
    const double s = __shfl_xor_sync(whole_warp, highest, distance);
    const auto lag = static_cast<int>(best);
    better(s, __shfl_xor_sync(whole_warp, lag, distance));
  }
  const auto bpm = static_cast<float>(score.bpm(best));
  for (auto t = static_cast<std::int64_t>(lane_of_thread()); t < frames; t += warp_size)
    out[segment * frames + t] = bpm;
}

inline void tempo_rows(cudaStream_t stream, std::int64_t count, const TempoRow& row) {
  for_each_element(stream, count * 2 * row.lags, row);
}
inline void tempo_squares(cudaStream_t stream, std::int64_t count, const TempoSquares& squares) {
  for_each_element(stream, count * 2 * squares.lags, squares);
}
inline void tempo_scales(cudaStream_t stream, const double2* autocorrelation, std::int64_t count,
                         std::int64_t lags, double* scales) {
  launch_frames(tempo_scales_kernel, count, stream, autocorrelation, count, lags, scales);
}
inline void tempo_sums(cudaStream_t stream, const TempoSum& sum) { for_each_element(stream, sum.lags, sum); }
inline void tempos(cudaStream_t stream, const double* sums, std::int64_t segments, std::int64_t frames,
                   std::int64_t lags, const features::TempoScore& score, float* out) {
  launch_frames(tempo_kernel, segments, stream, sums, segments, frames, lags, score, out);
}

// ---- The host's half

class Tempo final : public CudaFeature {
 public:
  Tempo(const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments, cudaStream_t stream)
      : score_(o),
        frames_(frames),
        lags_(features::tempo_lags(o)),
        block_(rows_at_once(o, frames)),
        envelope_(o, {}, frames, segments, stream),
        fft_(2 * lags_, block_, stream),
        window_(upload(std::span<const double>(
                           features::window_values("hann", static_cast<int>(lags_), static_cast<int>(lags_))),
                       stream)),
        rows_(static_cast<std::size_t>(block_ * 2 * lags_)),
        scales_(static_cast<std::size_t>(block_)),
        sums_(static_cast<std::size_t>(segments * lags_)),
        spectrum_(static_cast<std::size_t>(block_ * (lags_ + 1))) {}

  void take_exact(cudaStream_t stream, const double2* spectrum, std::int64_t first, std::int64_t count,
                  float*) override {
    envelope_.take(stream, spectrum, first, count);
  }
  void finish(cudaStream_t stream, std::int64_t segments, float* out) override {
    const double* envelope = envelope_.finish(stream, segments);
    for (std::int64_t s = 0; s < segments; ++s)
      for (std::int64_t first = 0; first < frames_; first += block_) {
        tempo_rows(stream, block_,
                   {envelope + s * frames_, window_.data(), frames_, lags_, first, rows_.data()});
        fft_.enqueue(rows_.data(), spectrum_.data());
        tempo_squares(stream, block_, {spectrum_.data(), lags_, rows_.data()});
        fft_.enqueue(rows_.data(), spectrum_.data());
        const auto count = std::min(block_, frames_ - first);
        tempo_scales(stream, spectrum_.data(), count, lags_, scales_.data());
        tempo_sums(stream,
                   {spectrum_.data(), scales_.data(), count, lags_, first == 0, sums_.data() + s * lags_});
      }
    tempos(stream, sums_.data(), segments, frames_, lags_, score_, out);
  }

  static std::int64_t work_floats(const features::FeatureOptions& o, std::int64_t frames) {
    return CudaOnsetEnvelope::work_floats(o, frames) + 2 * features::tempo_lags(o);
  }
  /// With a work area of the transform as large as its rows.
  static std::int64_t once_floats(const features::FeatureOptions& o, std::int64_t frames) {
    const auto lags = features::tempo_lags(o);
    return 2 * lags + rows_at_once(o, frames) * (12 * lags + 6);
  }

 private:
  /// Rows of 4 MB in all, but one at least.
  static std::int64_t rows_at_once(const features::FeatureOptions& o, std::int64_t frames) {
    return std::clamp<std::int64_t>((std::int64_t{1} << 19) / (2 * features::tempo_lags(o)), 1, frames);
  }

  features::TempoScore score_;
  std::int64_t frames_, lags_, block_;
  CudaOnsetEnvelope envelope_;
  BatchedFft<double> fft_;
  DeviceArray<double> window_, rows_, scales_, sums_;  // [W], [block, 2 W], [block], [segments, W]
  DeviceArray<double2> spectrum_;                      // [block, W + 1]
};

inline const Registration<CudaFeatureType> tempo{
    "tempo",
    {.make = [](const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments,
                cudaStream_t stream) -> std::unique_ptr<CudaFeature> {
       return std::make_unique<Tempo>(o, frames, segments, stream);
     },
     .work_floats = Tempo::work_floats,
     .once_floats = Tempo::once_floats}};

}  // namespace timbre::cuda
