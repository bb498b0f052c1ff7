// The CPU's dropout masks (nn/layers/dropout.hpp), bit for bit, made again in backward. One thread takes the four elements of
// one Philox block.
#pragma once

#include "cuda/support/elementwise.cuh"
#include "nn/layers/dropout_mask.hpp"

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

/// to = from * mask for layer `index` and step *step; to may be from.
inline void apply_dropout(cudaStream_t stream, std::uint64_t seed, int index, double rate,
                          const std::int64_t* step, const float* from, float* to, std::int64_t count) {
  for_each_element(
      stream, (count + 3) / 4,
      DropoutBlock{seed, stream::dropout + static_cast<std::uint32_t>(index), static_cast<float>(rate),
                   static_cast<float>(1 / (1 - rate)), step, from, to, count});
}

}  // namespace timbre::cuda
