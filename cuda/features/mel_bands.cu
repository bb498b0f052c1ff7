// Power and mel bands of a spectrum in one pass.
//
//   out[f, m] = sum over k of weights[m, k] |z[f, k]|^exponent
//
// One block per frame. Neighbouring bands overlap by half, so shared memory holds the powers of a tile of
// bins. Then eight lanes of a warp take a band, each every eighth of its weights (stored in groups of eight without
// the zeros between bands). They add up by shuffles in the order of the CPU's eight-lane sum.
// A spectrum wider than a tile (beyond n_fft 16384) is taken in several, and the bands gather them in global
// memory.
//
// Power to decibels, with a floor below the maximum of each segment (features/decibel.hpp has the formula).
//
// Two kernels over [segments, size]: maxima, then values in place. blockIdx.x is the segment; blockIdx.y
// shares a long segment among blocks, whose maxima meet in an atomic: a maximum does not depend on the order.
#include <algorithm>
#include <vector>

#include "cuda/features/mel_bands.hpp"
#include "cuda/features/power.cuh"
#include "cuda/support/warp.cuh"
#include "features/decibel.hpp"
#include "features/mel_filters.hpp"

namespace timbre::cuda {

inline constexpr int mel_lanes = 8;  // of one band: a group of weights

template <class Pair>
__global__ void __launch_bounds__(256) mel_bands_kernel(const Pair* __restrict__ spectrum, MelBands mel,
                                                        float exponent, int tile, float* __restrict__ out) {
  TIMBRE_DYNAMIC_SHARED(float, power);  // [tile]
  const Pair* row = spectrum + static_cast<std::int64_t>(blockIdx.x) * mel.bins;
  float* bands = out + static_cast<std::int64_t>(blockIdx.x) * mel.bands;
  const int lane = static_cast<int>(threadIdx.x) % mel_lanes;
  const int at_once = static_cast<int>(blockDim.x) / mel_lanes;
  for (int low = 0; low < mel.bins; low += tile) {
    const int high = low + tile < mel.bins ? low + tile : mel.bins;
    if (low > 0) __syncthreads();  // the tile before has been read
    for (int k = low + static_cast<int>(threadIdx.x); k < high; k += static_cast<int>(blockDim.x))
      power[k - low] = power_of(row[k], exponent);
    __syncthreads();
    for (int base = 0; base < mel.bands; base += at_once) {  // the same number of rounds for every thread
      const int m = base + static_cast<int>(threadIdx.x) / mel_lanes;
      float sum = 0.0f;
      if (m < mel.bands) {
        const int first = mel.first[m], groups = mel.groups[m];
        const float* weights = mel.weights + mel.offset[m];
        for (int g = 0; g < groups; ++g) {
          const int k = first + g * mel_lanes + lane;
          if (k >= low && k < high) sum += power[k - low] * weights[g * mel_lanes + lane];
        }
      }
      for (int distance = mel_lanes / 2; distance > 0; distance /= 2)
        sum += __shfl_xor_sync(whole_warp, sum, distance, mel_lanes);
      if (lane == 0 && m < mel.bands) bands[m] = low == 0 ? sum : bands[m] + sum;
    }
  }
}

/// maxima [segments] must be zeros. Values are not negative, so that their bits, as integers, have their
/// order.
__global__ void __launch_bounds__(256)
    segment_maxima_kernel(const float* __restrict__ values, std::int64_t size, float* __restrict__ maxima) {
  TIMBRE_SHARED(float, of_warp, [warp_size]);
  const float* segment = values + blockIdx.x * size;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.y) * blockDim.x;
  float largest = features::smallest_power;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.y) * blockDim.x + threadIdx.x; i < size; i += step)
    largest = fmaxf(largest, segment[i]);
  largest = warp_largest(largest);
  const unsigned lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size;
  if (lane == 0) of_warp[warp] = largest;
  __syncthreads();
  if (warp > 0) return;
  largest = warp_largest(lane < blockDim.x / warp_size ? of_warp[lane] : features::smallest_power);
  if (lane == 0) atomicMax(reinterpret_cast<int*>(maxima + blockIdx.x), __float_as_int(largest));
}

/// maxima: null for no floor.
__global__ void __launch_bounds__(256) decibels_kernel(float* __restrict__ values, std::int64_t size,
                                                       const float* __restrict__ maxima, double top_db) {
  float* segment = values + blockIdx.x * size;
  const float floor = maxima ? static_cast<float>(features::decibels(maxima[blockIdx.x]) - top_db) : -3.4e38f;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.y) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.y) * blockDim.x + threadIdx.x; i < size; i += step)
    segment[i] = fmaxf(features::decibels(fmaxf(segment[i], features::smallest_power)), floor);
}

namespace {

/// Blocks that share one segment of `size` values.
unsigned blocks_per_segment(std::int64_t size) {
  return static_cast<unsigned>(
      std::clamp<std::int64_t>(pieces(size, feature_threads * values_per_thread), 1, 1024));
}

template <class Pair>
void enqueue_mel_bands(cudaStream_t stream, const Pair* spectrum, std::int64_t frames, const MelBands& mel,
                       float exponent, float* out, int tile) {
  constexpr int largest_tile = 8193;  // 32 kB; the bins of n_fft 16384
  if (tile == 0) tile = std::min(mel.bins, largest_tile);
  launch(mel_bands_kernel<Pair>, dim3(static_cast<unsigned>(frames)), dim3(feature_threads),
         static_cast<std::size_t>(tile) * sizeof(float), stream, spectrum, mel, exponent, tile, out);
}

}  // namespace

void mel_bands(cudaStream_t stream, const float2* spectrum, std::int64_t frames, const MelBands& mel,
               float exponent, float* out, int tile) {
  enqueue_mel_bands(stream, spectrum, frames, mel, exponent, out, tile);
}
void mel_bands(cudaStream_t stream, const double2* spectrum, std::int64_t frames, const MelBands& mel,
               float exponent, float* out, int tile) {
  enqueue_mel_bands(stream, spectrum, frames, mel, exponent, out, tile);
}

void segment_maxima(cudaStream_t stream, const float* values, std::int64_t segments, std::int64_t size,
                    float* maxima) {
  launch(segment_maxima_kernel, dim3(static_cast<unsigned>(segments), blocks_per_segment(size)),
         dim3(feature_threads), 0, stream, values, size, maxima);
}

void to_decibels(cudaStream_t stream, float* values, std::int64_t segments, std::int64_t size,
                 const float* maxima, double top_db) {
  launch(decibels_kernel, dim3(static_cast<unsigned>(segments), blocks_per_segment(size)),
         dim3(feature_threads), 0, stream, values, size, maxima, top_db);
}

// ---- The host's half

CudaMelBands::CudaMelBands(const features::FeatureOptions& options, cudaStream_t stream)
    : power_(static_cast<float>(options.power)) {
  const features::MelFilters filters(options);
  std::vector<std::int32_t> first, groups, offset;
  std::int32_t at = 0;
  for (const auto& f : filters.filters()) {
    first.push_back(f.first), groups.push_back(f.groups), offset.push_back(at);
    at += 8 * f.groups;
  }
  first_ = upload<std::int32_t>(first, stream);
  groups_ = upload<std::int32_t>(groups, stream);
  offset_ = upload<std::int32_t>(offset, stream);
  weights_ = upload(std::span<const float>(filters.weights()), stream);
  view_ = {
      first_.data(), groups_.data(), offset_.data(), weights_.data(), static_cast<std::int32_t>(first.size()),
      options.bins()};
}

void CudaMelBands::enqueue(cudaStream_t stream, const float2* spectrum, std::int64_t first,
                           std::int64_t count, float* out) const {
  mel_bands(stream, spectrum, count, view_, power_, out + first * view_.bands);
}
void CudaMelBands::enqueue(cudaStream_t stream, const double2* spectrum, std::int64_t first,
                           std::int64_t count, float* out) const {
  mel_bands(stream, spectrum, count, view_, power_, out + first * view_.bands);
}

CudaDecibels::CudaDecibels(std::optional<double> top_db, std::int64_t size, std::int64_t segments)
    : top_db_(top_db), size_(size), maxima_(top_db ? static_cast<std::size_t>(segments) : 0) {}

void CudaDecibels::enqueue(cudaStream_t stream, std::int64_t segments, float* values) const {
  if (top_db_) {
    TIMBRE_CUDA_CHECK(
        cudaMemsetAsync(maxima_.data(), 0, static_cast<std::size_t>(segments) * sizeof(float), stream));
    segment_maxima(stream, values, segments, size_, maxima_.data());
  }
  to_decibels(stream, values, segments, size_, maxima_.data(), top_db_.value_or(0));
}

}  // namespace timbre::cuda
