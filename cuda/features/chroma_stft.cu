// chroma_stft (features/chroma_stft.hpp and features/tuning.hpp have the formulas).
//
// Each block of spectra leaves its powers and, where the tuning is to be estimated, the height of each bin's peak and its
// hundredth of a step. After the last frame of a batch a block finds a segment's tuning (the median height, eight bits at a
// time; then the fullest hundredth), a thread computes a bin's weights, a warp adds up a class of a frame, and a thread divides
// a frame by its norm.
#include <algorithm>
#include <cstring>
#include <span>

#include "cuda/features/cuda_feature.hpp"
#include "cuda/features/frames.cuh"
#include "cuda/support/elementwise.cuh"
#include "features/chroma_stft.hpp"
#include "features/tuning.hpp"

namespace timbre::cuda {

/// spectrum [count, bins] -> powers [count, bins]
struct ChromaPower {
  const double2* spectrum;
  float* powers;
  template <class Index>
  __device__ void operator()(Index i) const {
    powers[i] = power_of(spectrum[i], 2.0f);
  }
};

/// Of bins [low, high) of a frame.
struct ChromaPeaks {
  features::TuningRange range;
  int bins, bins_per_octave;
};

struct PowerRow {
  const double2* row;
  __device__ double operator()(std::int64_t k) const { return magnitude(row[k], 2.0); }
};

/// A warp for each frame. heights [frames, high - low]: below 0 where there is no peak; hundredths, of the same
/// shape, are 0 there.
__global__ void __launch_bounds__(128)
    chroma_peaks_kernel(const double2* __restrict__ spectrum, std::int64_t frames, ChromaPeaks peaks,
                        double* __restrict__ heights, std::uint8_t* __restrict__ hundredths) {
  const auto frame = frame_of_warp();
  if (frame >= frames) return;
  const PowerRow row{spectrum + frame * peaks.bins};
  double largest = 0.0;
  for (int k = lane_of_thread(); k < peaks.bins; k += warp_size) largest = fmax(largest, row(k));
  largest = warp_largest(largest);
  const auto [rate, low, high] = peaks.range;
  for (auto k = low + lane_of_thread(); k < high; k += warp_size) {
    const auto peak = features::TuningPeak::at(row, k, peaks.bins, features::tuning_share * largest);
    const auto at = frame * (high - low) + k - low;
    heights[at] = peak.height;
    hundredths[at] =
        peak.height < 0.0
            ? 0
            : static_cast<std::uint8_t>(features::tuning_hundredth(peak.place * rate, peaks.bins_per_octave));
  }
}

/// Bits have the order of the values, where these are not negative.
__device__ inline std::uint64_t bits_of(double x) {
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline constexpr int digits = 256;  // of eight bits

/// Of the values of row [n] that are not negative, the one that has `rank` before it in order. All threads of a block.
__device__ inline double height_of_rank(const double* row, std::int64_t n, int rank, int* counts) {
  std::uint64_t prefix = 0, mask = 0;
  for (int shift = 56; shift >= 0; shift -= 8) {
    for (int d = static_cast<int>(threadIdx.x); d < digits; d += static_cast<int>(blockDim.x)) counts[d] = 0;
    __syncthreads();
    for (std::int64_t i = threadIdx.x; i < n; i += blockDim.x)
      if (row[i] >= 0.0 && (bits_of(row[i]) & mask) == prefix)
        atomicAdd(counts + static_cast<int>(bits_of(row[i]) >> shift & 255), 1);
    __syncthreads();
    int digit = 0;
    while (rank >= counts[digit]) rank -= counts[digit++];
    prefix |= static_cast<std::uint64_t>(digit) << shift;
    mask |= std::uint64_t{255} << shift;
    __syncthreads();  // everyone has read the counts
  }
  double out;
  std::memcpy(&out, &prefix, sizeof out);
  return out;
}

/// A block for each segment: heights, hundredths [segments, n] -> tunings [segments].
__global__ void __launch_bounds__(256)
    chroma_tuning_kernel(const double* __restrict__ heights, const std::uint8_t* __restrict__ hundredths,
                         std::int64_t n, double* __restrict__ tunings) {
  TIMBRE_SHARED(int, counts, [digits]);
  TIMBRE_SHARED(int, peaks, [1]);
  const double* row = heights + blockIdx.x * n;
  if (threadIdx.x == 0) peaks[0] = 0;
  __syncthreads();
  int own = 0;
  for (std::int64_t i = threadIdx.x; i < n; i += blockDim.x) own += row[i] >= 0.0;
  atomicAdd(peaks, own);
  __syncthreads();
  const int all = peaks[0];
  if (all == 0) {
    if (threadIdx.x == 0) tunings[blockIdx.x] = 0.0;
    return;
  }
  double median = height_of_rank(row, n, all / 2, counts);
  if (all % 2 == 0) median = 0.5 * (median + height_of_rank(row, n, all / 2 - 1, counts));
  for (int d = static_cast<int>(threadIdx.x); d < digits; d += static_cast<int>(blockDim.x)) counts[d] = 0;
  __syncthreads();
  for (std::int64_t i = threadIdx.x; i < n; i += blockDim.x)
    if (row[i] >= 0.0 && row[i] >= median) atomicAdd(counts + hundredths[blockIdx.x * n + i], 1);
  __syncthreads();
  if (threadIdx.x > 0) return;
  int fullest = 0;
  for (int i = 1; i < features::tuning_steps; ++i)
    if (counts[i] > counts[fullest]) fullest = i;
  tunings[blockIdx.x] = features::tuning_edge(fullest);
}

/// One bin of a segment. weights [segments, classes, bins]
struct ChromaWeights {
  const double *octaves, *tunings;
  std::int64_t bins, n_fft, classes;
  double ctroct, octwidth;
  bool base_c;
  float* weights;
  template <class Index>
  __device__ void operator()(Index i) const {
    const std::int64_t k = i % static_cast<Index>(bins), segment = i / static_cast<Index>(bins);
    const auto steps = static_cast<double>(classes);
    const auto bin = features::ChromaBin::of(octaves, k, n_fft, steps, tunings[segment]);
    double square = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) square += bin.bump(c, steps) * bin.bump(c, steps);
    const double scale = bin.scale(square, steps, ctroct, octwidth);
    for (std::int64_t c = 0; c < classes; ++c)
      weights[(segment * classes + features::chroma_column(c, classes, base_c)) * bins + k] =
          static_cast<float>(scale * bin.bump(c, steps));
  }
};

/// A warp for each class of each frame: powers [segments, frames, bins] -> sums [segments, frames, classes]. all_share: there are
/// weights of one segment.
__global__ void __launch_bounds__(128)
    chroma_sums_kernel(const float* __restrict__ powers, const float* __restrict__ weights,
                       std::int64_t items, std::int64_t frames, std::int64_t bins, std::int64_t classes,
                       bool all_share, double* __restrict__ sums) {
  const auto item = frame_of_warp();
  if (item >= items) return;
  const auto frame = item / classes, segment = all_share ? 0 : frame / frames;
  const float* row = powers + frame * bins;
  const float* w = weights + (segment * classes + item % classes) * bins;
  double sum = 0.0;
  for (auto k = static_cast<std::int64_t>(lane_of_thread()); k < bins; k += warp_size)
    sum += static_cast<double>(row[k]) * static_cast<double>(w[k]);
  sum = warp_sum(sum);
  if (lane_of_thread() == 0) sums[item] = sum;
}

/// One frame.
struct ChromaNormed {
  const double* sums;
  std::int64_t classes;
  bool normed;
  double p;
  float* out;
  template <class Index>
  __device__ void operator()(Index frame) const {
    const double* row = sums + frame * classes;
    const double norm = normed ? features::p_norm(p, row, classes) : 1.0;
    for (std::int64_t c = 0; c < classes; ++c) out[frame * classes + c] = static_cast<float>(row[c] / norm);
  }
};

inline void chroma_powers(cudaStream_t stream, const double2* spectrum, std::int64_t count, float* powers) {
  for_each_element(stream, count, ChromaPower{spectrum, powers});
}
inline void chroma_peaks(cudaStream_t stream, const double2* spectrum, std::int64_t frames,
                         const ChromaPeaks& peaks, double* heights, std::uint8_t* hundredths) {
  launch_frames(chroma_peaks_kernel, frames, stream, spectrum, frames, peaks, heights, hundredths);
}
inline void chroma_tunings(cudaStream_t stream, const double* heights, const std::uint8_t* hundredths,
                           std::int64_t segments, std::int64_t n, double* tunings) {
  launch(chroma_tuning_kernel, dim3(static_cast<unsigned>(segments)), dim3(feature_threads), 0, stream,
         heights, hundredths, n, tunings);
}
inline void chroma_weights(cudaStream_t stream, std::int64_t segments, const ChromaWeights& weights) {
  for_each_element(stream, segments * weights.bins, weights);
}
inline void chroma_sums(cudaStream_t stream, const float* powers, const float* weights,
                        std::int64_t all_frames, std::int64_t frames, std::int64_t bins, std::int64_t classes,
                        bool all_share, double* sums) {
  const auto items = all_frames * classes;
  launch_frames(chroma_sums_kernel, items, stream, powers, weights, items, frames, bins, classes, all_share,
                sums);
}
inline void chroma_normed(cudaStream_t stream, std::int64_t frames, const ChromaNormed& normed) {
  for_each_element(stream, frames, normed);
}

// ---- The host's half

class ChromaStft final : public CudaFeature {
 public:
  ChromaStft(const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments,
             cudaStream_t stream)
      : o_(o.own_as<features::ChromaStftOptions>()),
        frames_(frames),
        bins_(o.bins()),
        n_fft_(o.n_fft),
        peaks_{{o.sample_rate, bins_}, o.bins(), o_.n_chroma},
        octaves_(upload(std::span<const double>(features::chroma_octaves(o)), stream)),
        powers_(static_cast<std::size_t>(segments * frames * bins_)),
        weights_(static_cast<std::size_t>((o_.tuning ? 1 : segments) * o_.n_chroma * bins_)),
        sums_(static_cast<std::size_t>(segments * frames * o_.n_chroma)) {
    if (o_.tuning) {
      tunings_ = upload(std::span<const double>(&*o_.tuning, 1), stream);
      weigh(stream, 1);
      return;
    }
    tunings_ = DeviceArray<double>(static_cast<std::size_t>(segments));
    heights_ = DeviceArray<double>(static_cast<std::size_t>(segments * frames * places()));
    hundredths_ = DeviceArray<std::uint8_t>(heights_.size());
  }

  void take_exact(cudaStream_t stream, const double2* spectrum, std::int64_t first, std::int64_t count,
                  float*) override {
    chroma_powers(stream, spectrum, count * bins_, powers_.data() + first * bins_);
    if (!o_.tuning && places() > 0)
      chroma_peaks(stream, spectrum, count, peaks_, heights_.data() + first * places(),
                   hundredths_.data() + first * places());
  }

  void finish(cudaStream_t stream, std::int64_t segments, float* out) override {
    if (!o_.tuning) {
      chroma_tunings(stream, heights_.data(), hundredths_.data(), segments, frames_ * places(),
                     tunings_.data());
      weigh(stream, segments);
    }
    chroma_sums(stream, powers_.data(), weights_.data(), segments * frames_, frames_, bins_, o_.n_chroma,
                o_.tuning.has_value(), sums_.data());
    chroma_normed(stream, segments * frames_,
                  {sums_.data(), o_.n_chroma, o_.norm.p.has_value(), o_.norm.p.value_or(0), out});
  }

  static std::int64_t work_floats(const features::FeatureOptions& o, std::int64_t frames) {
    const auto& own = o.own_as<features::ChromaStftOptions>();
    const std::int64_t bins = o.bins();
    const features::TuningRange range(o.sample_rate, bins);
    const auto places = std::max<std::int64_t>(0, range.high - range.low);
    const auto tuned = own.tuning ? 0 : frames * places * 9 / 4 + 3;
    return frames * bins + own.n_chroma * bins + 2 * frames * own.n_chroma + tuned + 2;
  }

 private:
  /// Bins of a frame that may have a peak.
  std::int64_t places() const { return std::max<std::int64_t>(0, peaks_.range.high - peaks_.range.low); }
  void weigh(cudaStream_t stream, std::int64_t segments) const {
    chroma_weights(stream, segments,
                   {octaves_.data(), tunings_.data(), bins_, n_fft_, o_.n_chroma, o_.ctroct,
                    o_.octwidth.value_or(0), o_.base_c, weights_.data()});
  }

  features::ChromaStftOptions o_;
  std::int64_t frames_, bins_, n_fft_;
  ChromaPeaks peaks_;
  DeviceArray<double> octaves_, tunings_;  // [n_fft - 1], [segments]
  DeviceArray<float> powers_, weights_;    // [segments, T, bins], [segments, classes, bins]
  DeviceArray<double> sums_, heights_;     // [segments, T, classes], [segments, T, places]
  DeviceArray<std::uint8_t> hundredths_;   // [segments, T, places]
};

inline const Registration<CudaFeatureType> chroma_stft{
    "chroma_stft",
    {.make = [](const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments,
                cudaStream_t stream) -> std::unique_ptr<CudaFeature> {
       return std::make_unique<ChromaStft>(o, frames, segments, stream);
     },
     .work_floats = ChromaStft::work_floats,
     .once_floats = [](const features::FeatureOptions& o, std::int64_t) -> std::int64_t {
       return 2 * o.n_fft;
     }}};

}  // namespace timbre::cuda
