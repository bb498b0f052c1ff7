#include "nn/layers/sequence_as_picture.hpp"

#include "core/error.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

const Shape& sequence(const Shape& input) {
  if (input.rank() != 2) fail_request("needs an input of rank 2 (T, F), not {}", input.str());
  return input;
}

WindowAxis axis_over(const Shape& input, std::int64_t kernel, std::int64_t stride, const std::string& padding,
                     std::string_view what) {
  if (padding == "valid" && kernel > sequence(input)[0])
    fail_request("{} {} is longer than the sequence {}; a shorter one, or padding: same", what, kernel,
                 input.str());
  return window_over(as_picture(sequence(input)), {kernel, 1}, {stride, 1}, padding, what).h;
}

std::int64_t steps_over(const Shape& input, std::int64_t kernel, std::int64_t stride,
                        const std::string& padding, std::string_view what) {
  return axis_over(input, kernel, stride, padding, what).out;
}

std::vector<OnnxAttribute> onnx_window(const WindowAxis& w) {
  using Integers = std::vector<std::int64_t>;
  return {{"kernel_shape", Integers{w.kernel}},
          {"strides", Integers{w.stride}},
          {"pads", Integers{w.before, w.after}}};
}

std::string onnx_sequence_turned(OnnxPlace& place, const std::string& x) {
  return place.graph.add("Transpose", {x}, {{"perm", std::vector<std::int64_t>{0, 2, 1}}});
}

}  // namespace timbre::nn
