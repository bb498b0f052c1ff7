// max_pooling1d and average_pooling1d: the poolings of pictures over a picture of one column (nn/layers/pooling1d.hpp).
#include "cuda/layers/cuda_layer.hpp"
#include "nn/layers/pooling1d.hpp"
#include "nn/layers/sequence_as_picture.hpp"

namespace timbre::cuda {

// ---- The host's half

template <class Options>
struct Pooling1DDevice {
  static std::unique_ptr<CudaLayer> make(const Options& options, const CudaBinding& binding) {
    const auto over = nn::over_picture(options);
    return make_cuda_layer(OptionsRef(over), nn::as_picture_binding(binding));
  }
};
inline const CudaLayers::Add<Pooling1DDevice<nn::MaxPooling1DOptions>, nn::MaxPooling1DOptions> max_pooling1d;
inline const CudaLayers::Add<Pooling1DDevice<nn::AveragePooling1DOptions>, nn::AveragePooling1DOptions>
    average_pooling1d;

}  // namespace timbre::cuda
