// spatial_dropout1d and 2d: the CPU's masks (nn/layers/spatial_dropout.hpp), bit for bit, made again in backward.
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"
#include "nn/layers/dropout_mask.hpp"
#include "nn/layers/spatial_dropout.hpp"

namespace timbre::cuda {

/// One value; the step comes from device memory, so that a replayed graph draws anew.
struct ChannelMask {
  std::uint64_t seed;
  std::uint32_t stream;
  float rate, scale;
  const std::int64_t* step;
  Divisor row_size, channels;
  const float* from;
  float* to;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto row = row_size(i).quotient;
    const auto c = channels(i).remainder;  // a row is whole places
    const std::uint64_t e =
        static_cast<std::uint64_t>(row) * static_cast<std::uint64_t>(channels.divisor()) + c;
    const PhiloxBlock words = philox(seed, stream, static_cast<std::uint32_t>(*step), e / 4);
    to[i] = from[i] * nn::dropout_mask(words.v[e % 4], rate, scale);
  }
};

// ---- The host's half

template <class Options>
class SpatialDropoutDevice final : public CudaLayer {
 public:
  SpatialDropoutDevice(const Options& options, const CudaBinding& binding)
      : binding_(binding), rate_(options.rate) {}
  void forward(bool training, const float* x, float* y) override { run(training, x, y); }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient) run(true, dy, dx);
  }

 private:
  void run(bool training, const float* from, float* to) {
    const auto stream = binding_.tools->stream;
    const auto row = binding_.input.size(), size = binding_.capacity * row;
    if (training && rate_ > 0)
      for_each_element(
          stream, size,
          ChannelMask{binding_.seed, stream::dropout + static_cast<std::uint32_t>(binding_.index),
                      static_cast<float>(rate_), static_cast<float>(1 / (1 - rate_)), binding_.step,
                      Divisor(row), Divisor(binding_.input.back()), from, to});
    else
      copy_on_device(from, to, std::size_t(size), stream);
  }

  CudaBinding binding_;
  double rate_;
};

inline const CudaLayers::Add<SpatialDropoutDevice<nn::SpatialDropout1DOptions>, nn::SpatialDropout1DOptions>
    spatial_dropout1d;
inline const CudaLayers::Add<SpatialDropoutDevice<nn::SpatialDropout2DOptions>, nn::SpatialDropout2DOptions>
    spatial_dropout2d;

}  // namespace timbre::cuda
