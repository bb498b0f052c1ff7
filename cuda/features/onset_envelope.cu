// Onset envelopes: a thread takes a band of a frame, then a warp a frame, then, where slow changes are taken away, a thread a
// segment.
#include "cuda/features/frames.cuh"
#include "cuda/features/onset_envelope.hpp"
#include "cuda/support/elementwise.cuh"
#include "features/decibel.hpp"

namespace timbre::cuda {

struct OnsetDifference {
  const float *bands, *maxima;
  OnsetLayout layout;
  double* differences;
  /// In float64: differences of decibels cancel.
  static __device__ double decibels_of(float power, double floor) {
    return fmax(10.0 * log10(fmax(static_cast<double>(power), static_cast<double>(features::smallest_power))),
                floor);
  }
  template <class Index>
  __device__ void operator()(Index i) const {
    const std::int64_t band = i % static_cast<Index>(layout.bands),
                       frame = i / static_cast<Index>(layout.bands);
    const std::int64_t t = frame % layout.frames;
    if (t < layout.shift) {
      differences[i] = 0.0;
      return;
    }
    const double floor = 10.0 * log10(static_cast<double>(maxima[frame / layout.frames])) - 80.0;
    const float* now = bands + (frame - layout.shift + layout.lag) * layout.bands;
    const float* before = now - layout.lag * layout.bands;
    const std::int64_t below = layout.max_size / 2;
    std::int64_t low = band - below, high = band - below + layout.max_size;
    if (low < 0) low = 0;
    if (high > layout.bands) high = layout.bands;
    float largest = before[low];
    for (std::int64_t m = low + 1; m < high; ++m) largest = fmaxf(largest, before[m]);
    const double d = decibels_of(now[band], floor) - decibels_of(largest, floor);
    differences[i] = d > 0.0 ? d : 0.0;
  }
};

/// The value at place `rank` of row [n] in ascending order, found by counting; values are at least 0.
__device__ inline double value_of_rank(const double* row, std::int64_t n, std::int64_t rank) {
  double found = 0.0;
  for (std::int64_t m = lane_of_thread(); m < n; m += warp_size) {
    std::int64_t smaller = 0, equal = 0;
    for (std::int64_t k = 0; k < n; ++k) smaller += row[k] < row[m], equal += row[k] == row[m];
    if (smaller <= rank && rank < smaller + equal) found = row[m];
  }
  return warp_largest(found);
}

__global__ void __launch_bounds__(128)
    onset_envelope_kernel(const double* __restrict__ differences, std::int64_t frames, std::int64_t bands,
                          bool median, double* __restrict__ envelope) {
  const auto frame = frame_of_warp();
  if (frame >= frames) return;
  const double* row = differences + frame * bands;
  double out = 0.0;
  if (median) {
    out = value_of_rank(row, bands, bands / 2);
    if (bands % 2 == 0) out = 0.5 * (out + value_of_rank(row, bands, bands / 2 - 1));
  } else {
    for (auto m = static_cast<std::int64_t>(lane_of_thread()); m < bands; m += warp_size) out += row[m];
    out = warp_sum(out) / static_cast<double>(bands);
  }
  if (lane_of_thread() == 0) envelope[frame] = out;
}

/// Of one segment.
struct Detrend {
  double* envelope;
  std::int64_t frames;
  template <class Index>
  __device__ void operator()(Index segment) const {
    double* e = envelope + segment * frames;
    double before = 0.0, out = 0.0;
    for (std::int64_t t = 0; t < frames; ++t) {
      out = e[t] - before + 0.99 * out;
      before = e[t];
      e[t] = out;
    }
  }
};

void onset_differences(cudaStream_t stream, const float* bands, const float* maxima, std::int64_t segments,
                       const OnsetLayout& layout, double* differences) {
  for_each_element(stream, segments * layout.frames * layout.bands,
                   OnsetDifference{bands, maxima, layout, differences});
}
void onset_envelope(cudaStream_t stream, const double* differences, std::int64_t segments,
                    const OnsetLayout& layout, double* envelope) {
  launch_frames(onset_envelope_kernel, segments * layout.frames, stream, differences,
                segments * layout.frames, layout.bands, layout.median, envelope);
}
void detrend(cudaStream_t stream, double* envelope, std::int64_t segments, std::int64_t frames) {
  for_each_element(stream, segments, Detrend{envelope, frames});
}

// ---- The host's half

CudaOnsetEnvelope::CudaOnsetEnvelope(const features::FeatureOptions& options,
                                     const features::OnsetStrengthOptions& own, std::int64_t frames,
                                     std::int64_t segments, cudaStream_t stream)
    : mel_(options, stream),
      layout_{.frames = frames,
              .bands = mel_.bands(),
              .lag = own.lag,
              .shift = features::onset_shift(options, own),
              .max_size = own.max_size,
              .median = own.aggregate == "median"},
      detrended_(own.detrend),
      bands_(static_cast<std::size_t>(segments * frames * layout_.bands)),
      maxima_(static_cast<std::size_t>(segments)),
      differences_(bands_.size()),
      envelope_(static_cast<std::size_t>(segments * frames)) {}

void CudaOnsetEnvelope::take(cudaStream_t stream, const double2* spectrum, std::int64_t first,
                             std::int64_t count) const {
  mel_.enqueue(stream, spectrum, first, count, bands_.data());
}

const double* CudaOnsetEnvelope::finish(cudaStream_t stream, std::int64_t segments) const {
  TIMBRE_CUDA_CHECK(
      cudaMemsetAsync(maxima_.data(), 0, static_cast<std::size_t>(segments) * sizeof(float), stream));
  segment_maxima(stream, bands_.data(), segments, layout_.frames * layout_.bands, maxima_.data());
  onset_differences(stream, bands_.data(), maxima_.data(), segments, layout_, differences_.data());
  onset_envelope(stream, differences_.data(), segments, layout_, envelope_.data());
  if (detrended_) detrend(stream, envelope_.data(), segments, layout_.frames);
  return envelope_.data();
}

std::int64_t CudaOnsetEnvelope::work_floats(const features::FeatureOptions& options, std::int64_t frames) {
  return frames * (3 * options.n_mels + 2) + 1;
}

}  // namespace timbre::cuda
