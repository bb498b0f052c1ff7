// Checked calls: a call of the CUDA runtime or of cuFFT that fails becomes an Error that shows the call.
//
//   TIMBRE_CUDA_CHECK(cudaMalloc(&data, bytes));
//   -> CUDA: cudaMalloc(&data, bytes): out of memory (memory.hpp:41)
#pragma once

#include <cuda_runtime_api.h>

namespace timbre::cuda {

/// Throws Error where status is not cudaSuccess.
void check(cudaError_t status, const char* expression, const char* file, int line);
/// The same for cuFFT's results (its enum is an int here, so that not every file includes cuFFT).
void check_fft(int result, const char* expression, const char* file, int line);
/// For destructors: says on stderr what failed, and goes on.
void complain(cudaError_t status, const char* expression) noexcept;

}  // namespace timbre::cuda

#define TIMBRE_CUDA_CHECK(...) ::timbre::cuda::check((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
#define TIMBRE_FFT_CHECK(...) \
  ::timbre::cuda::check_fft(static_cast<int>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
