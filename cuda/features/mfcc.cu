// mfcc: mel-frequency cepstral coefficients, [T, n_mfcc].
//
// Cepstral coefficients of frames in decibels: an orthonormal DCT-II along the bands.
//
//   mean = (sum over m of d[t, m]) / bands
//   out[t, 0] = sum sqrt(1 / bands),  out[t, j] = sum over m of (d[t, m] - mean) cosines[m, j - 1]
//
// Only the first coefficient depends on the mean. Subtracting it first, as the CPU does, keeps the digits of the
// others that sums of large, nearly equal numbers would lose. A block takes `rows` frames: a warp loads a row
// into shared memory and sums it in double, then all threads share the coefficients of all rows.
#include <algorithm>

#include "cuda/features/cuda_feature.hpp"
#include "cuda/features/mel_bands.hpp"
#include "cuda/features/power.cuh"
#include "features/cepstrum.hpp"

namespace timbre::cuda {

__global__ void __launch_bounds__(128)
    cepstrum_kernel(const float* __restrict__ decibels, const float* __restrict__ cosines,
                    std::int64_t frames, int bands, int coefficients, int rows, float* __restrict__ out) {
  TIMBRE_DYNAMIC_SHARED(float, centred);  // [rows, bands]
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * rows;
  const int count = first + rows < frames ? rows : static_cast<int>(frames - first);
  const int lane = static_cast<int>(threadIdx.x) % warp_size,
            warp = static_cast<int>(threadIdx.x) / warp_size;
  for (int r = warp; r < count; r += static_cast<int>(blockDim.x) / warp_size) {
    const float* row = decibels + (first + r) * bands;
    double sum = 0.0;
    for (int m = lane; m < bands; m += warp_size) sum += row[m];
    for (int distance = warp_size / 2; distance > 0; distance /= 2)
      sum += __shfl_xor_sync(whole_warp, sum, distance);
    const auto mean = static_cast<float>(sum / bands);
    for (int m = lane; m < bands; m += warp_size) centred[r * bands + m] = row[m] - mean;
    if (lane == 0) out[(first + r) * coefficients] = static_cast<float>(sum * sqrt(1.0 / bands));
  }
  __syncthreads();
  const int others = coefficients - 1;
  for (int i = static_cast<int>(threadIdx.x); i < count * others; i += static_cast<int>(blockDim.x)) {
    const int r = i / others, j = i % others;
    const float* row = centred + r * bands;
    float sum = 0.0f;
    for (int m = 0; m < bands; ++m) sum += row[m] * cosines[m * others + j];
    out[(first + r) * coefficients + 1 + j] = sum;
  }
}

/// decibels [frames, bands], cosines [bands, coefficients - 1] -> out [frames, coefficients]
inline void cepstrum(cudaStream_t stream, const float* decibels, const float* cosines, std::int64_t frames,
                     int bands, int coefficients, float* out) {
  constexpr int shared_floats = 1 << 13, most_rows = 16;  // n_mels is at most 4096: two rows always fit
  const int rows = std::clamp(shared_floats / bands, 1, most_rows);
  launch(cepstrum_kernel, dim3(static_cast<unsigned>(pieces(frames, rows))), dim3(128),
         static_cast<std::size_t>(rows * bands) * sizeof(float), stream, decibels, cosines, frames, bands,
         coefficients, rows, out);
}

// ---- The host's half

class Mfcc final : public CudaFeature {
 public:
  Mfcc(const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments, cudaStream_t stream)
      : frames_(frames),
        coefficients_(o.n_mfcc),
        mel_(o, stream),
        decibels_(o.top_db, frames * mel_.bands(), segments),
        bands_(static_cast<std::size_t>(segments * frames * mel_.bands())),
        cosines_(upload<float>(features::cepstral_cosines(mel_.bands(), coefficients_), stream)) {}

  void take(cudaStream_t stream, const float2* spectrum, std::int64_t first, std::int64_t count,
            float*) override {
    mel_.enqueue(stream, spectrum, first, count, bands_.data());
  }
  void finish(cudaStream_t stream, std::int64_t segments, float* out) override {
    decibels_.enqueue(stream, segments, bands_.data());
    cepstrum(stream, bands_.data(), cosines_.data(), segments * frames_, static_cast<int>(mel_.bands()),
             coefficients_, out);
  }

 private:
  std::int64_t frames_;
  int coefficients_;
  CudaMelBands mel_;
  CudaDecibels decibels_;
  DeviceArray<float> bands_;    // [segments, T, n_mels]
  DeviceArray<float> cosines_;  // [n_mels, n_mfcc - 1]
};

inline const Registration<CudaFeatureType> mfcc{
    "mfcc",
    {.make = [](const features::FeatureOptions& o, std::int64_t frames, std::int64_t segments,
                cudaStream_t stream) -> std::unique_ptr<CudaFeature> {
       return std::make_unique<Mfcc>(o, frames, segments, stream);
     },
     .work_floats = [](const features::FeatureOptions& o,
                       std::int64_t frames) { return frames * o.n_mels; }}};

}  // namespace timbre::cuda
