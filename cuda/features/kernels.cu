#include <algorithm>

#include "features/cepstrum.cuh"
#include "features/decibel.cuh"
#include "features/frames.cuh"
#include "features/kernels.hpp"
#include "features/mel.cuh"
#include "features/power.cuh"

namespace timbre::cuda {
namespace {

constexpr unsigned threads = 256;
constexpr std::int64_t values_per_thread =
    4;  // of elementwise kernels, so that small grids fill the GPU, too

std::int64_t pieces(std::int64_t size, std::int64_t piece) { return (size + piece - 1) / piece; }

/// Blocks that share one segment of `size` values.
unsigned blocks_per_segment(std::int64_t size) {
  return static_cast<unsigned>(std::clamp<std::int64_t>(pieces(size, threads * values_per_thread), 1, 1024));
}

}  // namespace

void window_frames(cudaStream_t stream, const float* segments, const float* window, const FrameLayout& layout,
                   std::int64_t first, std::int64_t count, float* out) {
  launch(window_frames_kernel, dim3(static_cast<unsigned>(count)), dim3(threads), 0, stream, segments, window,
         layout, first, out);
}

void spectrum_power(cudaStream_t stream, const float2* spectrum, std::int64_t size, float exponent,
                    float* out) {
  const auto blocks = std::min<std::int64_t>(pieces(size, threads * values_per_thread), 1 << 20);
  launch(spectrum_power_kernel, dim3(static_cast<unsigned>(blocks)), dim3(threads), 0, stream, spectrum, size,
         exponent, out);
}

void mel_bands(cudaStream_t stream, const float2* spectrum, std::int64_t frames, const MelBands& mel,
               float exponent, float* out, int tile) {
  constexpr int largest_tile = 8193;  // 32 kB; the bins of n_fft 16384
  if (tile == 0) tile = std::min(mel.bins, largest_tile);
  launch(mel_bands_kernel, dim3(static_cast<unsigned>(frames)), dim3(threads),
         static_cast<std::size_t>(tile) * sizeof(float), stream, spectrum, mel, exponent, tile, out);
}

void segment_maxima(cudaStream_t stream, const float* values, std::int64_t segments, std::int64_t size,
                    float* maxima) {
  launch(segment_maxima_kernel, dim3(static_cast<unsigned>(segments), blocks_per_segment(size)),
         dim3(threads), 0, stream, values, size, maxima);
}

void to_decibels(cudaStream_t stream, float* values, std::int64_t segments, std::int64_t size,
                 const float* maxima, double top_db) {
  launch(decibels_kernel, dim3(static_cast<unsigned>(segments), blocks_per_segment(size)), dim3(threads), 0,
         stream, values, size, maxima, top_db);
}

void cepstrum(cudaStream_t stream, const float* decibels, const float* cosines, std::int64_t frames,
              int bands, int coefficients, float* out) {
  constexpr int shared_floats = 1 << 13, most_rows = 16;  // n_mels is at most 4096: two rows always fit
  const int rows = std::clamp(shared_floats / bands, 1, most_rows);
  launch(cepstrum_kernel, dim3(static_cast<unsigned>(pieces(frames, rows))), dim3(128),
         static_cast<std::size_t>(rows * bands) * sizeof(float), stream, decibels, cosines, frames, bands,
         coefficients, rows, out);
}

}  // namespace timbre::cuda
