// A window that slides over pictures (nn/layers/window.hpp), seen from the places it passes.
#pragma once

#include "layers/kernels.hpp"
#include "support/kernel.hpp"

namespace timbre::cuda {

/// The windows [first, end) that hold place `at` of a side.
struct WindowRange {
  std::int32_t first, end;
};
__device__ inline WindowRange windows_over(const WindowSide& s, std::int32_t at) {
  const std::int32_t padded = at + s.before;
  const std::int32_t last = padded / s.stride;
  return {padded < s.kernel ? 0 : (padded - s.kernel) / s.stride + 1, (last < s.out ? last : s.out - 1) + 1};
}

}  // namespace timbre::cuda
