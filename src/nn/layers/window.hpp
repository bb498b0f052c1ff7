// Windows that slide over a picture (H, W, C): what convolution and pooling share.
//
// Along each axis, with kernel k, stride s and input n, as TensorFlow does it:
//   valid   out = floor((n - k) / s) + 1, no padding
//   same    out = ceil(n / s), padding max((out - 1) s + k - n, 0), the odd one at the end
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/forward.hpp"
#include "core/shape.hpp"

namespace timbre::nn {

struct OnnxAttribute;
struct OnnxPlace;

/// Height and width, written `3` or `[3, 2]`.
struct Extent2D {
  std::int64_t h = 1, w = 1;
  static Extent2D from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
  std::string str() const { return Shape{h, w}.str(); }
};

/// One axis of a window.
struct WindowAxis {
  std::int64_t in = 0, kernel = 1, stride = 1, out = 0, before = 0, after = 0;
  std::int64_t padded() const { return in + before + after; }
};

struct Window2D {
  WindowAxis h, w;
  std::int64_t channels = 0;
  std::int64_t outputs() const { return h.out * w.out; }  // places of the window
};

/// The picture of a shape: (H, W, C) as it is, (T, F) as (T, F, 1). Throws RequestError for other ranks.
Shape picture(const Shape& input);

/// The places of the window on an input of shape (H, W, C) or (T, F); padding is "valid" or "same". Throws
/// RequestError where the window (`what`: kernel, pool) is larger than the input and nothing is padded.
Window2D window_over(const Shape& input, Extent2D kernel, Extent2D stride, const std::string& padding,
                     std::string_view what);

/// What Conv and MaxPool of ONNX share: kernel_shape, strides and explicit pads; the picture [batch, C, H, W] of a
/// place's x, and a result [batch, C, H, W] as [batch, H, W, C].
std::vector<OnnxAttribute> onnx_window(const Window2D& window);
std::string onnx_channels_first(OnnxPlace& place);
std::string onnx_channels_last(OnnxPlace& place, const std::string& y);

}  // namespace timbre::nn
