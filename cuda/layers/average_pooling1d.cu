// average_pooling1d: average_pooling2d over a picture of one column (nn/layers/average_pooling1d.hpp).
#include "cuda/layers/cuda_layer.hpp"
#include "nn/layers/average_pooling1d.hpp"
#include "nn/layers/sequence_as_picture.hpp"

namespace timbre::cuda {

// ---- The host's half

struct AveragePooling1DDevice {
  static std::unique_ptr<CudaLayer> make(const nn::AveragePooling1DOptions& options,
                                         const CudaBinding& binding) {
    const auto over = nn::over_picture(options);
    return make_cuda_layer(OptionsRef(over), nn::as_picture_binding(binding));
  }
};
inline const CudaLayers::Add<AveragePooling1DDevice, nn::AveragePooling1DOptions> average_pooling1d;

}  // namespace timbre::cuda
