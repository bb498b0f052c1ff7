// The window of a layer's options, as kernels take it.
#pragma once

#include "layers/device_layer.hpp"
#include "layers/kernels.hpp"
#include "nn/layers/window.hpp"

namespace timbre::cuda {

inline WindowGrid window_grid(const Shape& input, const Options& options, const char* size) {
  const auto extent = [&](const char* name) {
    return nn::Extent2D::from(config::Reader(options.node(name)));
  };
  const auto w = nn::window_over(input, extent(size), extent("strides"), options.word("padding"), size);
  const auto side = [](const nn::WindowAxis& a) {
    return WindowSide{std::int32_t(a.in), std::int32_t(a.kernel), std::int32_t(a.stride), std::int32_t(a.out),
                      std::int32_t(a.before)};
  };
  return {side(w.h), side(w.w), w.channels};
}

}  // namespace timbre::cuda
