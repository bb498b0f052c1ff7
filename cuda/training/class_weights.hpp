// Weights of classes in the training loss (training/class_weights.hpp).
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/training/cuda_parts.hpp"

namespace timbre::cuda {

/// Enqueues it: losses and gradient of the batch's live rows, by the weight of their label. weights [classes].
void weigh_classes(cudaStream_t stream, const LossBatch& batch, const float* weights);

}  // namespace timbre::cuda
