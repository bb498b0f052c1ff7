// spectral_contrast: how far the peaks of each octave lie above its valleys, [T, n_bands + 1] in dB.
//
// A warp takes a band of a frame: it finds the largest and the smallest magnitudes one after the other, since they are few.
// Then a warp takes a segment, whose largest peak and largest valley the floors of the decibels lie 80 dB below.
#include <span>
#include <vector>

#include "cuda/features/cuda_feature.hpp"
#include "cuda/features/frames.cuh"
#include "features/spectral_contrast.hpp"

namespace timbre::cuda {

/// The mean of the `taken` smallest values of sign * magnitude over row [count], times sign.
__device__ inline double mean_of_first(const double2* row, int count, int taken, double sign) {
  double last = -1e308, sum = 0.0;
  int last_index = -1;
  for (int i = 0; i < taken; ++i) {
    double best = 1e308;
    int index = count;
    for (int k = lane_of_thread(); k < count; k += warp_size) {
      const double m = sign * magnitude(row[k], 1.0);
      const bool is_next = m > last || (m == last && k > last_index);
      if (is_next && m < best) best = m, index = k;
    }
    for (int distance = warp_size / 2; distance > 0; distance /= 2) {
      const double other = __shfl_xor_sync(whole_warp, best, distance);
      const int other_index = __shfl_xor_sync(whole_warp, index, distance);
      if (other < best || (other == best && other_index < index)) best = other, index = other_index;
    }
    last = best, last_index = index;
    sum += best;
  }
  return sign * sum / taken;
}

/// bands: of each its first bin, its number of bins, and how many are taken, [size].
__global__ void __launch_bounds__(128)
    contrast_kernel(const double2* __restrict__ spectrum, const int* __restrict__ bands, std::int64_t frames,
                    int size, int bins, double* __restrict__ peaks, double* __restrict__ valleys) {
  const auto item = frame_of_warp();
  if (item >= frames * size) return;
  const int* band = bands + item % size * 3;
  const double2* row = spectrum + item / size * bins + band[0];
  const double peak = mean_of_first(row, band[1], band[2], -1.0),
               valley = mean_of_first(row, band[1], band[2], 1.0);
  if (lane_of_thread() == 0) peaks[item] = peak, valleys[item] = valley;
}

__device__ inline double exact_decibels(double x) { return 10.0 * log10(fmax(x, 1e-10)); }

/// peaks, valleys [segments, size] -> out, a warp for each segment.
__global__ void __launch_bounds__(128)
    contrast_of_segments_kernel(const double* __restrict__ peaks, const double* __restrict__ valleys,
                                std::int64_t segments, std::int64_t size, bool linear,
                                float* __restrict__ out) {
  const auto segment = frame_of_warp();
  if (segment >= segments) return;
  const auto begin = segment * size, end = begin + size;
  double peak = 0.0, valley = 0.0;
  for (auto i = begin + lane_of_thread(); i < end; i += warp_size)
    peak = fmax(peak, peaks[i]), valley = fmax(valley, valleys[i]);
  const double peak_floor = exact_decibels(warp_largest(peak)) - 80.0,
               valley_floor = exact_decibels(warp_largest(valley)) - 80.0;
  for (auto i = begin + lane_of_thread(); i < end; i += warp_size) {
    const double difference =
        linear ? peaks[i] - valleys[i]
               : fmax(exact_decibels(peaks[i]), peak_floor) - fmax(exact_decibels(valleys[i]), valley_floor);
    out[i] = static_cast<float>(difference);
  }
}

/// spectrum [frames, bins], bands [size, 3] -> peaks, valleys [frames, size]
inline void contrasts(cudaStream_t stream, const double2* spectrum, const int* bands, std::int64_t frames,
                      int size, int bins, double* peaks, double* valleys) {
  launch_frames(contrast_kernel, frames * size, stream, spectrum, bands, frames, size, bins, peaks, valleys);
}
inline void contrasts_of_segments(cudaStream_t stream, const double* peaks, const double* valleys,
                                  std::int64_t segments, std::int64_t size, bool linear, float* out) {
  launch_frames(contrast_of_segments_kernel, segments, stream, peaks, valleys, segments, size, linear, out);
}

// ---- The host's half

class SpectralContrast final : public CudaFeature {
 public:
  SpectralContrast(const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments,
                   cudaStream_t stream)
      : bins_(o.bins()), linear_(o.own_as<features::SpectralContrastOptions>().linear) {
    std::vector<int> bands;
    for (const auto& band : features::contrast_bands(o))
      for (const auto v : {band.first, band.count, band.taken}) bands.push_back(static_cast<int>(v));
    size_ = static_cast<int>(bands.size() / 3);
    bands_ = upload(std::span<const int>(bands), stream);
    segment_ = frames * size_;
    peaks_ = DeviceArray<double>(static_cast<std::size_t>(segments * segment_));
    valleys_ = DeviceArray<double>(static_cast<std::size_t>(segments * segment_));
  }
  void take_exact(cudaStream_t stream, const double2* spectrum, std::int64_t first, std::int64_t count,
                  float*) override {
    contrasts(stream, spectrum, bands_.data(), count, size_, bins_, peaks_.data() + first * size_,
              valleys_.data() + first * size_);
  }
  void finish(cudaStream_t stream, std::int64_t segments, float* out) override {
    contrasts_of_segments(stream, peaks_.data(), valleys_.data(), segments, segment_, linear_, out);
  }

 private:
  int bins_, size_ = 0;
  bool linear_;
  std::int64_t segment_ = 0;             // values of a segment
  DeviceArray<int> bands_;               // [size, 3]
  DeviceArray<double> peaks_, valleys_;  // [segments, T, size]
};

inline const Registration<CudaFeatureType> spectral_contrast{
    "spectral_contrast",
    {.make = [](const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments,
                cudaStream_t stream) -> std::unique_ptr<CudaFeature> {
       return std::make_unique<SpectralContrast>(o, frames, segments, stream);
     },
     .work_floats = [](const features::FeatureOptions& o, std::int64_t frames) -> std::int64_t {
       return 4 * frames * (o.own_as<features::SpectralContrastOptions>().n_bands + 1);
     }}};

}  // namespace timbre::cuda
