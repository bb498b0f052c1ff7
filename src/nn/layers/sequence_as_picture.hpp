// A layer over a sequence (T, F) is the layer over a picture (T, 1, F), which is one column wide: the same values in the same
// order. 1-D convolutions and poolings are made in this way on every device.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/shape.hpp"
#include "nn/layers/window.hpp"

namespace timbre::nn {

inline Shape as_picture(const Shape& sequence) { return {sequence[0], 1, sequence[1]}; }

/// A binding of the layer over sequences as one of the layer over pictures.
template <class Binding>
Binding as_picture_binding(Binding binding) {
  binding.input = as_picture(binding.input), binding.output = as_picture(binding.output);
  return binding;
}

/// The input, which must be a sequence: else RequestError.
const Shape& sequence(const Shape& input);

/// The attributes of a window along a sequence in ONNX, and its arrays [batch, channels, T] there. (nn/onnx.hpp)
std::vector<OnnxAttribute> onnx_window(const WindowAxis& window);
std::string onnx_sequence_turned(OnnxPlace& place, const std::string& x);

/// The window along a sequence. Throws as steps_over does.
WindowAxis axis_over(const Shape& input, std::int64_t kernel, std::int64_t stride, const std::string& padding,
                     std::string_view what);

/// Steps of a window along a sequence. Throws RequestError for an input that is no sequence, and where the window (`what`:
/// kernel, pool) is longer than it and nothing is padded.
std::int64_t steps_over(const Shape& input, std::int64_t kernel, std::int64_t stride,
                        const std::string& padding, std::string_view what);

}  // namespace timbre::nn
