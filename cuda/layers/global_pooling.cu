// Poolings over whole sequences and pictures (nn/layers/global_pooling.hpp has the rules): a thread per row and channel, which
// neighbouring threads read side by side.
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"
#include "nn/layers/global_pooling.hpp"

namespace timbre::cuda {

/// What one place counts for in the mean of its row, 0 where none counts; mask [rows, places] may be null.
struct Share {
  std::int64_t places;
  const std::uint8_t* mask;
  __device__ bool counts(std::int64_t row, std::int64_t p) const { return !mask || mask[row * places + p]; }
  __device__ float operator()(std::int64_t row) const {
    std::int64_t n = mask ? 0 : places;
    for (std::int64_t p = 0; mask && p < places; ++p) n += mask[row * places + p];
    return n == 0 ? 0.0f : 1.0f / static_cast<float>(n);
  }
};

/// y [rows, channels] from x [rows, places, channels]; place (of the maxima) is null where nothing is kept.
template <bool largest>
struct GlobalForward {
  std::int64_t places;
  Share share;
  Divisor channels;
  const float* x;
  float* y;
  std::int32_t* place;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [row, c] = channels(i);
    const float* from = x + static_cast<std::int64_t>(row) * places * channels.divisor() + c;
    float value = largest ? from[0] : 0.0f;
    std::int32_t where = 0;
    for (std::int64_t p = largest ? 1 : 0; p < places; ++p) {
      const float v = from[p * channels.divisor()];
      if (!largest)
        value += share.counts(row, p) ? v : 0.0f;
      else if (!(v <= value) && value == value)
        value = v, where = static_cast<std::int32_t>(p);
    }
    y[i] = largest ? value : value * share(row);
    if (largest && place) place[i] = where;
  }
};

/// dx [rows, places, channels] from dy [rows, channels].
template <bool largest>
struct GlobalBackward {
  Share share;
  Divisor places, channels;
  const float* dy;
  const std::int32_t* place;
  float* dx;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [at, c] = channels(i);
    const auto [row, p] = places(at);
    const std::int64_t from = static_cast<std::int64_t>(row) * channels.divisor() + c;
    if (largest)
      dx[i] = place[from] == static_cast<std::int32_t>(p) ? dy[from] : 0.0f;
    else
      dx[i] = share.counts(row, p) ? dy[from] * share(row) : 0.0f;
  }
};

// ---- The host's half

template <class Options>
class GlobalPoolingDevice final : public CudaLayer {
 public:
  GlobalPoolingDevice(const Options&, const CudaBinding& binding)
      : binding_(binding), channels_(binding.output.size()), places_(binding.input.size() / channels_) {
    if (Options::largest && binding.trained && binding.input_gradient)
      place_ = DeviceArray<std::int32_t>(std::size_t(binding.capacity * channels_));
  }
  void forward(bool, const float* x, float* y) override {
    for_each_element(binding_.tools->stream, binding_.capacity * channels_,
                     GlobalForward<Options::largest>{places_, share(), Divisor(channels_), x, y,
                                                     place_.size() > 0 ? place_.data() : nullptr});
  }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (!binding_.input_gradient) return;
    for_each_element(binding_.tools->stream, binding_.capacity * places_ * channels_,
                     GlobalBackward<Options::largest>{share(), Divisor(places_), Divisor(channels_), dy,
                                                      place_.data(), dx});
  }

 private:
  Share share() const { return {places_, binding_.mask}; }

  CudaBinding binding_;
  std::int64_t channels_, places_;
  DeviceArray<std::int32_t> place_;  // of the maxima
};

template <class Options>
using AddGlobalPooling = CudaLayers::Add<GlobalPoolingDevice<Options>, Options>;
inline const AddGlobalPooling<nn::GlobalAveragePooling1DOptions> global_average_pooling1d;
inline const AddGlobalPooling<nn::GlobalMaxPooling1DOptions> global_max_pooling1d;
inline const AddGlobalPooling<nn::GlobalAveragePooling2DOptions> global_average_pooling2d;
inline const AddGlobalPooling<nn::GlobalMaxPooling2DOptions> global_max_pooling2d;

}  // namespace timbre::cuda
