// random_crop: in training a window of the sequence at a random place, anew at each step; otherwise the window in the middle.
//
//   x (T, F) -> y (frames, F) = x[start : start + frames]
//   training: all starts 0 .. T - frames are equally likely; otherwise start = (T - frames) / 2, rounded down
//
// The start of row r comes from word 0 of philox(seed, stream::crop, step, index 2^32 + r), index: of the layer. In
// training that is Keras's RandomCrop along time, with a window for each row (Keras draws one for a batch); otherwise its
// CenterCrop (RandomCrop then lets whole pictures pass, which a network of fixed shape cannot take). So predictions are of the
// middle, and exports have it as a Cropping1D (Keras) or a Slice (ONNX). `augmentation.features.crop` puts this layer before
// the first.
// Errors: RequestError for an input of another rank, and for one of fewer frames.
// Source: keras/src/layers/preprocessing/image_preprocessing/random_crop.py, center_crop.py.
#pragma once

#include <cstdint>

#include "core/philox.hpp"
#include "nn/options.hpp"

namespace timbre::nn {

struct RandomCropOptions {
  static constexpr auto part = "random_crop";
  std::int64_t frames = 1;
};
const config::Schema<RandomCropOptions>& schema(config::of<RandomCropOptions>);

/// The windows of one step.
struct CropWindows {
  std::int64_t places;  // that a window may begin at: T - frames + 1
  std::uint64_t seed, index;
  TIMBRE_HD std::int64_t start(bool training, std::uint32_t step, std::uint64_t row) const {
    if (!training) return (places - 1) / 2;
    const PhiloxBlock words = philox(seed, stream::crop, step, (index << 32) + row);
    return static_cast<std::int64_t>(
        (static_cast<std::uint64_t>(words.v[0]) * static_cast<std::uint64_t>(places)) >> 32);
  }
};

}  // namespace timbre::nn
