#include "nn/layers/window.hpp"

#include <algorithm>

#include "config/schema.hpp"
#include "nn/onnx.hpp"

namespace timbre::nn {

constexpr std::int64_t largest_extent = 65536;

config::Type Extent2D::describe() {
  const auto one = config::Type::whole(1, largest_extent);
  return config::Type::either({one, config::Type::sequence(one, 2)});
}

Extent2D Extent2D::from(const config::Reader& reader) {
  const auto one = [](const config::Reader& r) {
    const auto v = r.integer();
    if (v < 1 || v > largest_extent)
      r.fail(fmt::format("must be between 1 and {}, not {}", largest_extent, config::describe(r.node())));
    return v;
  };
  if (!reader.node().is_sequence()) {
    if (!reader.node().is_scalar())
      reader.fail("must be a whole number or two of them, [height, width], not " +
                  config::describe(reader.node()));
    const auto v = one(reader);
    return {v, v};
  }
  if (reader.node().items.size() != 2)
    reader.fail(fmt::format("must be a whole number or two of them, [height, width], not {} items",
                            reader.node().items.size()));
  return {one(reader.item(0)), one(reader.item(1))};
}

config::Node Extent2D::dump() const {
  auto node = config::Node::sequence();
  node.items = {config::Node::plain(std::to_string(h)), config::Node::plain(std::to_string(w))};
  return node;
}

Shape picture(const Shape& input) {
  if (input.rank() == 2) return {input[0], input[1], 1};
  if (input.rank() != 3)
    fail_request(
        "needs an input of rank 3 (height, width, channels) or rank 2 (frames, coefficients), not {}",
        input.str());
  return input;
}

namespace {

WindowAxis axis(std::int64_t in, std::int64_t kernel, std::int64_t stride, bool same) {
  WindowAxis a{.in = in, .kernel = kernel, .stride = stride};
  if (same) {
    a.out = (in + stride - 1) / stride;
    const auto total = std::max<std::int64_t>((a.out - 1) * stride + kernel - in, 0);
    a.before = total / 2;
    a.after = total - a.before;
  } else {
    a.out = (in - kernel) / stride + 1;
  }
  return a;
}

}  // namespace

Window2D window_over(const Shape& input, Extent2D kernel, Extent2D stride, const std::string& padding,
                     std::string_view what) {
  const Shape p = picture(input);
  const bool same = padding == "same";
  if (!same && (kernel.h > p[0] || kernel.w > p[1]))
    fail_request("{} {} is larger than the input {}; a smaller one, or padding: same", what, kernel.str(),
                 p.str());
  return {axis(p[0], kernel.h, stride.h, same), axis(p[1], kernel.w, stride.w, same), p[2]};
}

std::vector<OnnxAttribute> onnx_window(const Window2D& window) {
  using Integers = std::vector<std::int64_t>;
  const auto& [h, w, channels] = window;
  return {{"kernel_shape", Integers{h.kernel, w.kernel}},
          {"strides", Integers{h.stride, w.stride}},
          {"pads", Integers{h.before, w.before, h.after, w.after}}};
}

std::string onnx_channels_first(OnnxPlace& place) {
  if (place.input.rank() == 2)
    return place.graph.add("Unsqueeze", {place.x, place.graph.integers("channel_axis", {1})});
  return place.graph.add("Transpose", {place.x}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
}

std::string onnx_channels_last(OnnxPlace& place, const std::string& y) {
  return place.graph.add("Transpose", {y}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}});
}

}  // namespace timbre::nn
