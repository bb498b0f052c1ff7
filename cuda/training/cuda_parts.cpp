#include "cuda/training/cuda_parts.hpp"

#include "core/error.hpp"

namespace timbre::cuda {

std::unique_ptr<CudaLoss> make_cuda_loss(const OptionsRef& options) {
  auto loss = CudaLosses::make(options);
  if (!loss) fail("the loss '{}' cannot be computed on the GPU", options.part());
  return loss;
}

std::unique_ptr<CudaOptimizer> make_cuda_optimizer(const OptionsRef& options) {
  auto optimizer = CudaOptimizers::make(options);
  if (!optimizer) fail("the optimizer '{}' cannot be computed on the GPU", options.part());
  return optimizer;
}

}  // namespace timbre::cuda
