// Recurrent layers among masked steps (nn/layers/skipping.hpp): the same for cuDNN's and for own kernels, which know nothing of
// masks.
#pragma once

#include <memory>

#include "cuda/layers/cuda_layer.hpp"
#include "nn/layers/skipping.hpp"

namespace timbre::cuda {

/// The layer, which returns sequences, among masked steps; `sequences`: whether it was asked to.
std::unique_ptr<CudaLayer> skip_masked_steps(std::unique_ptr<CudaLayer> layer, const CudaBinding& binding,
                                             bool backwards, bool sequences);

/// A recurrent layer that make(options, binding) makes, or the same among masked steps.
template <class Options, class Make>
std::unique_ptr<CudaLayer> with_mask(const Options& options, const CudaBinding& binding, const Make& make) {
  if (!binding.mask) return make(options, binding);
  auto every = options;
  every.return_sequences = true;
  return skip_masked_steps(make(every, nn::without_mask(binding)), binding, options.go_backwards,
                           options.return_sequences);
}

}  // namespace timbre::cuda
