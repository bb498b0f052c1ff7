#include "nn/layers/conv2d_kernels.hpp"

#define TIMBRE_KERNELS "nn/layers/conv2d_kernels.inc"
#include "core/each_target.inc"

namespace timbre::nn {

const ConvKernels& conv_kernels() { return TIMBRE_BEST_OF(kernels); }

}  // namespace timbre::nn
