#include "cuda/layers/cuda_layer.hpp"

#include "core/error.hpp"

namespace timbre::cuda {

CudaTools::CudaTools(cudaStream_t s) : stream(s), blas(s) {}

cudnnHandle_t CudaTools::dnn() {
  if (!dnn_) {
    auto made = make_dnn_handle();
    TIMBRE_DNN_CHECK(cudnnSetStream(made, stream));
    dnn_ = std::move(made);
  }
  return dnn_;
}

std::unique_ptr<CudaLayer> make_cuda_layer(const OptionsRef& options, const CudaBinding& binding) {
  auto layer = CudaLayers::make(options, binding);
  if (!layer) fail("the layer '{}' cannot be computed on the GPU", options.part());
  return layer;
}

}  // namespace timbre::cuda
