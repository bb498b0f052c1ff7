#include "cuda/support/check.hpp"

#include <cstdio>
#include <string_view>

#include "core/error.hpp"

namespace timbre::cuda {
namespace {

std::string_view file_name(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

/// cuFFT has no function that gives words for its results.
std::string_view fft_words(int result) {
  switch (result) {
    case 1:
      return "invalid plan";
    case 2:
      return "out of memory";
    case 3:
      return "invalid type";
    case 4:
      return "invalid value";
    case 5:
      return "internal error";
    case 6:
      return "execution failed";
    case 7:
      return "set-up failed";
    case 8:
      return "invalid size";
    case 9:
      return "unaligned data";
    case 11:
      return "invalid device";
    case 13:
      return "no work space";
    case 14:
      return "not implemented";
    case 16:
      return "not supported";
    default:
      return "unknown error";
  }
}

}  // namespace

void check(cudaError_t status, const char* expression, const char* file, int line) {
  if (status == cudaSuccess) return;
  fail("CUDA: {}: {} ({}:{})", expression, cudaGetErrorString(status), file_name(file), line);
}

void check_fft(int result, const char* expression, const char* file, int line) {
  if (result == 0) return;
  fail("cuFFT: {}: {}, result {} ({}:{})", expression, fft_words(result), result, file_name(file), line);
}

void complain(cudaError_t status, const char* expression) noexcept {
  if (status != cudaSuccess) std::fprintf(stderr, "CUDA: %s: %s\n", expression, cudaGetErrorString(status));
}

}  // namespace timbre::cuda
