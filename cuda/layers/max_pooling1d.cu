// max_pooling1d: max_pooling2d over a picture of one column (nn/layers/max_pooling1d.hpp).
#include "cuda/layers/cuda_layer.hpp"
#include "nn/layers/max_pooling1d.hpp"
#include "nn/layers/sequence_as_picture.hpp"

namespace timbre::cuda {

// ---- The host's half

struct MaxPooling1DDevice {
  static std::unique_ptr<CudaLayer> make(const nn::MaxPooling1DOptions& options, const CudaBinding& binding) {
    const auto over = nn::over_picture(options);
    return make_cuda_layer(OptionsRef(over), nn::as_picture_binding(binding));
  }
};
inline const CudaLayers::Add<MaxPooling1DDevice, nn::MaxPooling1DOptions> max_pooling1d;

}  // namespace timbre::cuda
