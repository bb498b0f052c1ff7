// conv1d: conv2d over a picture of one column (nn/layers/conv1d.hpp).
#include "cuda/layers/cuda_layer.hpp"
#include "nn/layers/conv1d.hpp"
#include "nn/layers/sequence_as_picture.hpp"

namespace timbre::cuda {

// ---- The host's half

struct Conv1DDevice {
  static std::unique_ptr<CudaLayer> make(const nn::Conv1DOptions& options, const CudaBinding& binding) {
    const auto over = nn::over_picture(options);
    return make_cuda_layer(OptionsRef(over), nn::as_picture_binding(binding));
  }
};
inline const CudaLayers::Add<Conv1DDevice, nn::Conv1DOptions> conv1d;

}  // namespace timbre::cuda
