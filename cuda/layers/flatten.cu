// flatten: the same values seen as one vector (nn/layers/flatten.hpp), so there is nothing to do.
#include "cuda/layers/cuda_layer.hpp"
#include "nn/layers/flatten.hpp"

namespace timbre::cuda {

// ---- The host's half

class FlattenDevice final : public CudaLayer {
 public:
  FlattenDevice(const nn::FlattenOptions&, const CudaBinding&) {}
  bool passes_through() const override { return true; }
  void forward(bool, const float*, float*) override {}
  void backward(const float*, const float*, float*, float*) override {}
};

inline const CudaLayers::Add<FlattenDevice, nn::FlattenOptions> flatten;

}  // namespace timbre::cuda
