// Dropout: the masks of nn/layers/dropout.cpp, bit for bit. One thread takes the four elements of one Philox
// block.
#pragma once

#include "nn/layers/dropout_mask.hpp"
#include "support/elementwise.cuh"

namespace timbre::cuda {

/// to = from * mask for `count` elements; the step comes from device memory, so that a replayed graph draws
/// anew.
struct DropoutBlock {
  std::uint64_t seed;
  std::uint32_t stream;
  float rate, scale;
  const std::int64_t* step;
  const float* from;
  float* to;
  std::int64_t count;
  template <class Index>
  __device__ void operator()(Index block) const {
    const PhiloxBlock words =
        philox(seed, stream, static_cast<std::uint32_t>(*step), static_cast<std::uint64_t>(block));
    for (int w = 0; w < 4; ++w) {
      const std::int64_t i = 4 * static_cast<std::int64_t>(block) + w;
      if (i < count) to[i] = from[i] * nn::dropout_mask(words.v[w], rate, scale);
    }
  }
};

}  // namespace timbre::cuda
