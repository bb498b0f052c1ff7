#include "nn/layers/conv2d_kernels.hpp"

#include "core/isa.hpp"

#define TIMBRE_KERNELS "nn/layers/conv2d_kernels.inc"
#include "core/each_target.inc"

namespace timbre::nn {

const ConvKernels& conv_kernels() {
#ifdef TIMBRE_X86_TARGETS
  if (isa() == Isa::avx512) return avx512::kernels;
  if (isa() == Isa::avx2) return avx2::kernels;
#endif
  return generic::kernels;
}

}  // namespace timbre::nn
