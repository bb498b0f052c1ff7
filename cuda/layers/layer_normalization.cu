// layer_normalization (nn/layers/layer_normalization.hpp has the formula): one warp per place. Sums over a place's values are
// doubles, in a fixed order; those of gamma's and beta's gradients run over all places (support/columns.cuh). Rows that are
// not live have dy = 0, and add nothing.
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/support/columns.cuh"
#include "cuda/support/warp.cuh"
#include "nn/layers/layer_normalization.hpp"

namespace timbre::cuda {

inline constexpr int norm_places_per_block = 4;

/// mean and inverse [places] are kept for backward; gamma and beta may be null.
__global__ void __launch_bounds__(warp_size* norm_places_per_block)
    layer_norm_kernel(const float* __restrict__ x, const float* __restrict__ gamma,
                      const float* __restrict__ beta, double epsilon, std::int64_t places,
                      std::int64_t channels, float* __restrict__ y, float* __restrict__ mean,
                      float* __restrict__ inverse) {
  const std::int64_t place = static_cast<std::int64_t>(blockIdx.x) * norm_places_per_block + threadIdx.y;
  if (place >= places) return;  // a whole warp
  const float* from = x + place * channels;
  double sum = 0, squares = 0;
  for (std::int64_t c = threadIdx.x; c < channels; c += warp_size) sum += static_cast<double>(from[c]);
  const double centre = warp_sum(sum) / static_cast<double>(channels);
  for (std::int64_t c = threadIdx.x; c < channels; c += warp_size) {
    const double d = static_cast<double>(from[c]) - centre;
    squares += d * d;
  }
  const float m = static_cast<float>(centre),
              s = static_cast<float>(1 / sqrt(warp_sum(squares) / static_cast<double>(channels) + epsilon));
  for (std::int64_t c = threadIdx.x; c < channels; c += warp_size) {
    float v = (from[c] - m) * s;
    if (gamma) v *= gamma[c];
    if (beta) v += beta[c];
    y[place * channels + c] = v;
  }
  if (threadIdx.x == 0) mean[place] = m, inverse[place] = s;
}

__global__ void __launch_bounds__(warp_size* norm_places_per_block)
    layer_norm_back_kernel(const float* __restrict__ x, const float* __restrict__ dy,
                           const float* __restrict__ gamma, const float* __restrict__ mean,
                           const float* __restrict__ inverse, std::int64_t places, std::int64_t channels,
                           float* __restrict__ dx) {
  const std::int64_t place = static_cast<std::int64_t>(blockIdx.x) * norm_places_per_block + threadIdx.y;
  if (place >= places) return;
  const float m = mean[place], s = inverse[place];
  double of_g = 0, of_product = 0;
  for (std::int64_t c = threadIdx.x; c < channels; c += warp_size) {
    const std::int64_t at = place * channels + c;
    const double g = static_cast<double>(gamma ? dy[at] * gamma[c] : dy[at]);
    of_g += g, of_product += g * static_cast<double>((x[at] - m) * s);
  }
  const float a = static_cast<float>(warp_sum(of_g) / static_cast<double>(channels)),
              b = static_cast<float>(warp_sum(of_product) / static_cast<double>(channels));
  for (std::int64_t c = threadIdx.x; c < channels; c += warp_size) {
    const std::int64_t at = place * channels + c;
    const float xhat = (x[at] - m) * s, g = gamma ? dy[at] * gamma[c] : dy[at];
    dx[at] = (g - a - xhat * b) * s;
  }
}

/// The sums of one channel: dy xhat, and dy.
struct NormSums {
  double scale = 0, offset = 0;
  __device__ NormSums& operator+=(const NormSums& other) {
    scale += other.scale, offset += other.offset;
    return *this;
  }
};
struct NormTerm {
  const float *x, *dy, *mean, *inverse;
  std::int64_t channels;
  __device__ NormSums operator()(std::int64_t place, std::int64_t c) const {
    const std::int64_t at = place * channels + c;
    const double d = static_cast<double>(dy[at]);
    return {d * static_cast<double>((x[at] - mean[place]) * inverse[place]), d};
  }
};
struct NormGradient {
  float *gamma, *beta;  // may be null
  __device__ void operator()(std::int64_t c, const NormSums& sum) const {
    if (gamma) gamma[c] = static_cast<float>(sum.scale);
    if (beta) beta[c] = static_cast<float>(sum.offset);
  }
};

// ---- The host's half

class LayerNormalizationDevice final : public CudaLayer {
 public:
  LayerNormalizationDevice(const nn::LayerNormalizationOptions& options, const CudaBinding& binding)
      : binding_(binding),
        epsilon_(options.epsilon),
        channels_(binding.input.back()),
        places_(binding.capacity * binding.input.size() / channels_),
        mean_(std::size_t(places_)),
        inverse_(std::size_t(places_)) {
    std::size_t next = 0;
    for (const auto& [wanted, value, gradient] :
         {Slot{options.scale, &gamma_, &d_gamma_}, Slot{options.center, &beta_, &d_beta_}}) {
      if (!wanted) continue;
      *value = binding.parameters[next];
      if (!binding.gradients.empty()) *gradient = binding.gradients[next];
      ++next;
    }
    if (d_gamma_ || d_beta_)
      partial_ = DeviceArray<NormSums>(std::size_t(column_pieces(places_) * channels_));
  }
  void forward(bool, const float* x, float* y) override {
    launch(layer_norm_kernel, grid(), block(), 0, binding_.tools->stream, x, gamma_, beta_, epsilon_, places_,
           channels_, y, mean_.data(), inverse_.data());
  }
  void backward(const float* x, const float*, float* dy, float* dx) override {
    const auto stream = binding_.tools->stream;
    if (d_gamma_ || d_beta_)
      sum_columns(stream, NormTerm{x, dy, mean_.data(), inverse_.data(), channels_}, places_, channels_,
                  nullptr, 1, partial_.data(), NormGradient{d_gamma_, d_beta_});
    if (binding_.input_gradient)
      launch(layer_norm_back_kernel, grid(), block(), 0, stream, x, dy, gamma_, mean_.data(), inverse_.data(),
             places_, channels_, dx);
  }

 private:
  struct Slot {
    bool wanted;
    const float** value;
    float** gradient;
  };
  dim3 grid() const {
    return dim3(static_cast<unsigned>((places_ + norm_places_per_block - 1) / norm_places_per_block));
  }
  static dim3 block() { return dim3(warp_size, norm_places_per_block); }

  CudaBinding binding_;
  double epsilon_;
  std::int64_t channels_, places_;
  const float *gamma_ = nullptr, *beta_ = nullptr;
  float *d_gamma_ = nullptr, *d_beta_ = nullptr;
  DeviceArray<float> mean_, inverse_;  // [places]
  DeviceArray<NormSums> partial_;
};

inline const CudaLayers::Add<LayerNormalizationDevice, nn::LayerNormalizationOptions> layer_normalization;

}  // namespace timbre::cuda
