// gaussian_noise: the CPU's numbers (nn/layers/gaussian_noise.hpp) to rounding, since log, cos and sin are the GPU's. One thread
// takes the four elements of one Philox block.
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/support/elementwise.cuh"
#include "nn/layers/gaussian_noise.hpp"
#include "nn/layers/gaussian_noise_rule.hpp"

namespace timbre::cuda {

struct NoiseBlock {
  std::uint64_t seed;
  std::uint32_t stream;
  float stddev;
  const std::int64_t* step;
  const float* x;
  float* y;
  std::int64_t count;
  template <class Index>
  __device__ void operator()(Index block) const {
    const nn::NormalBlock noise = nn::normals_of(
        philox(seed, stream, static_cast<std::uint32_t>(*step), static_cast<std::uint64_t>(block)));
    for (int k = 0; k < 4; ++k) {
      const std::int64_t i = 4 * static_cast<std::int64_t>(block) + k;
      if (i < count) y[i] = x[i] + stddev * noise.v[k];
    }
  }
};

// ---- The host's half

class GaussianNoiseDevice final : public CudaLayer {
 public:
  GaussianNoiseDevice(const nn::GaussianNoiseOptions& options, const CudaBinding& binding)
      : binding_(binding), stddev_(options.stddev), size_(binding.capacity * binding.input.size()) {}
  void forward(bool training, const float* x, float* y) override {
    const auto stream = binding_.tools->stream;
    if (training && stddev_ > 0)
      for_each_element(stream, (size_ + 3) / 4,
                       NoiseBlock{binding_.seed, stream::dropout + static_cast<std::uint32_t>(binding_.index),
                                  static_cast<float>(stddev_), binding_.step, x, y, size_});
    else
      copy_on_device(x, y, std::size_t(size_), stream);
  }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient) copy_on_device(dy, dx, std::size_t(size_), binding_.tools->stream);
  }

 private:
  CudaBinding binding_;
  double stddev_;
  std::int64_t size_;
};

inline const CudaLayers::Add<GaussianNoiseDevice, nn::GaussianNoiseOptions> gaussian_noise;

}  // namespace timbre::cuda
