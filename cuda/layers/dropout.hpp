// The two ways in which the GPU draws dropout's masks, behind one layer (dropout.cu chooses).
#pragma once

#include <memory>

#include "cuda/layers/cuda_layer.hpp"
#include "nn/layers/dropout.hpp"

namespace timbre::cuda {

/// cuDNN's generator and masks.
std::unique_ptr<CudaLayer> make_dropout_on_cudnn(const nn::DropoutOptions& options,
                                                 const CudaBinding& binding);

}  // namespace timbre::cuda
