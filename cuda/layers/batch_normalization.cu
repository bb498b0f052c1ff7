// batch_normalization over the last axis (nn/layers/batch_normalization.hpp), by own kernels: the moving variance is the
// biased one, as Keras's (cuDNN's is not). Sums are doubles, added in a fixed order over the rows of the batch that are
// live: the first *live of `rows`. dx of the others is zero. x, y, dy, dx: [rows * inner, channels].
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/support/columns.cuh"
#include "cuda/support/elementwise.cuh"
#include "nn/layers/batch_normalization.hpp"
#include "nn/layers/batch_normalization_rules.hpp"

namespace timbre::cuda {

/// Arrays [channels], but for the two numbers. The last eleven are work space that lives from forward to
/// backward.
struct NormalisationArrays {
  const float *gamma = nullptr, *beta = nullptr;  // null: 1 and 0
  float *moving_mean = nullptr, *moving_variance = nullptr;
  double momentum = 0, epsilon = 0;
  double *exact_mean = nullptr, *inverse = nullptr;
  float *mean = nullptr, *factor = nullptr, *offset = nullptr;
  float *mean_dy = nullptr, *factor_dy = nullptr, *slope = nullptr, *rest = nullptr;
};
struct NormalisationBatch {
  std::int64_t rows, inner, channels;
  const std::int32_t* live;
  double* partial;  // normalisation_work doubles
};

struct Pair {
  double a, b;
  __device__ Pair& operator+=(const Pair& other) {
    a += other.a, b += other.b;
    return *this;
  }
};

struct MomentsOf {  // x, x^2
  const float* x;
  std::int64_t channels;
  __device__ Pair operator()(std::int64_t row, std::int64_t c) const {
    const double v = x[row * channels + c];
    return {v, v * v};
  }
};
struct ProductsOf {  // dy, dy (x - mean)
  const float* x;
  const float* dy;
  const float* mean;
  std::int64_t channels;
  __device__ Pair operator()(std::int64_t row, std::int64_t c) const {
    const double g = dy[row * channels + c];
    return {g, g * static_cast<double>(x[row * channels + c] - mean[c])};
  }
};

/// The factor and the offset of a channel's values, from its statistics.
__device__ inline void store_normalisation(const NormalisationArrays& a, std::int64_t c,
                                           const nn::Moments& m) {
  const auto n = nn::Normalisation::of(m, a.epsilon, a.gamma ? a.gamma[c] : 1.0f, a.beta ? a.beta[c] : 0.0f);
  a.exact_mean[c] = n.exact_mean, a.inverse[c] = n.inverse;
  a.mean[c] = n.mean, a.factor[c] = n.factor, a.offset[c] = n.offset;
}

/// From the sums over the batch; the moving statistics follow.
struct BatchStatistics {
  NormalisationArrays a;
  const std::int32_t* live;
  std::int64_t inner;  // values of a channel per row of the batch
  __device__ void operator()(std::int64_t c, Pair sums) const {
    const auto m = nn::Moments::of(sums.a, sums.b, static_cast<double>(*live * inner));
    a.moving_mean[c] = nn::blend_moving(a.moving_mean[c], m.mean, a.momentum);
    a.moving_variance[c] = nn::blend_moving(a.moving_variance[c], m.variance, a.momentum);
    store_normalisation(a, c, m);
  }
};
struct MovingStatistics {
  NormalisationArrays a;
  template <class Index>
  __device__ void operator()(Index c) const {
    store_normalisation(a, c, {a.moving_mean[c], a.moving_variance[c]});
  }
};

struct Normalise {
  NormalisationArrays a;
  const float* x;
  float* y;
  std::int64_t channels;
  template <class Index>
  __device__ void operator()(Index i) const {
    const Index c = i % static_cast<Index>(channels);
    y[i] = nn::Normalisation::value(x[i], a.mean[c], a.factor[c], a.offset[c]);
  }
};

struct ChannelGradient {
  NormalisationArrays a;
  const std::int32_t* live;
  std::int64_t inner;
  float *gamma_gradient, *beta_gradient;  // may be null
  __device__ void operator()(std::int64_t c, Pair sums) const {
    const auto g =
        nn::NormalisationGradient::of(sums.a, sums.b, static_cast<double>(*live * inner), a.exact_mean[c],
                                      a.mean[c], a.inverse[c], a.gamma ? a.gamma[c] : 1.0f);
    if (gamma_gradient) gamma_gradient[c] = g.gamma;
    if (beta_gradient) beta_gradient[c] = g.beta;
    a.mean_dy[c] = g.mean_dy, a.factor_dy[c] = g.factor, a.slope[c] = g.slope, a.rest[c] = g.offset;
  }
};

/// Of moving statistics, which do not depend on the batch: a factor, and nothing else.
struct FrozenGradient {
  NormalisationArrays a;
  template <class Index>
  __device__ void operator()(Index c) const {
    a.factor_dy[c] = a.factor[c];
    a.mean_dy[c] = a.slope[c] = a.rest[c] = 0.0f;
  }
};

struct Denormalise {
  NormalisationArrays a;
  const float *x, *dy;
  float* dx;
  std::int64_t channels, inner;
  const std::int32_t* live;
  template <class Index>
  __device__ void operator()(Index i) const {
    const Index c = i % static_cast<Index>(channels);
    dx[i] = i < static_cast<Index>(*live * inner * channels)
                ? nn::NormalisationGradient::value(x[i], dy[i], a.mean[c], a.mean_dy[c], a.factor_dy[c],
                                                   a.slope[c], a.rest[c])
                : 0.0f;
  }
};

inline std::int64_t normalisation_work(std::int64_t rows, std::int64_t inner, std::int64_t channels) {
  return 2 * column_pieces(rows * inner) * channels;
}

/// training: statistics of the batch, and the moving ones follow; otherwise the moving ones.
inline void normalise(cudaStream_t stream, const NormalisationArrays& a, const NormalisationBatch& b,
                      bool training, const float* x, float* y) {
  if (training)
    sum_columns(stream, MomentsOf{x, b.channels}, b.rows * b.inner, b.channels, b.live, b.inner,
                reinterpret_cast<Pair*>(b.partial), BatchStatistics{a, b.live, b.inner});
  else
    for_each_element(stream, b.channels, MovingStatistics{a});
  for_each_element(stream, b.rows * b.inner * b.channels, Normalise{a, x, y, b.channels});
}

/// gamma_gradient, beta_gradient and dx may be null. frozen: forward took the moving statistics; no gradients but dx.
inline void normalise_backward(cudaStream_t stream, const NormalisationArrays& a, const NormalisationBatch& b,
                               const float* x, const float* dy, float* dx, float* gamma_gradient,
                               float* beta_gradient, bool frozen = false) {
  if (frozen)
    for_each_element(stream, b.channels, FrozenGradient{a});
  else
    sum_columns(stream, ProductsOf{x, dy, a.mean, b.channels}, b.rows * b.inner, b.channels, b.live, b.inner,
                reinterpret_cast<Pair*>(b.partial),
                ChannelGradient{a, b.live, b.inner, gamma_gradient, beta_gradient});
  if (dx)
    for_each_element(stream, b.rows * b.inner * b.channels,
                     Denormalise{a, x, dy, dx, b.channels, b.inner, b.live});
}

// ---- The host's half

class BatchNormalizationDevice final : public CudaLayer {
 public:
  BatchNormalizationDevice(const nn::BatchNormalizationOptions& options, const CudaBinding& binding)
      : binding_(binding),
        channels_(binding.output.back()),
        inner_(binding.output.size() / channels_),
        floats_(std::size_t(7 * channels_)),
        doubles_(std::size_t(2 * channels_ + normalisation_work(binding.capacity, inner_, channels_))) {
    arrays_.momentum = options.momentum, arrays_.epsilon = options.epsilon;
    // The declared parameters, in order; gamma and beta only where asked for.
    std::size_t i = 0;
    if (options.scale) gamma_gradient_ = binding.gradients[i], arrays_.gamma = binding.parameters[i++];
    if (options.center) beta_gradient_ = binding.gradients[i], arrays_.beta = binding.parameters[i++];
    arrays_.moving_mean = binding.parameters[i], arrays_.moving_variance = binding.parameters[i + 1];
    float* f = floats_.data();
    for (float** p : {&arrays_.mean, &arrays_.factor, &arrays_.offset, &arrays_.mean_dy, &arrays_.factor_dy,
                      &arrays_.slope, &arrays_.rest})
      *p = f, f += channels_;
    double* d = doubles_.data();
    arrays_.exact_mean = d, arrays_.inverse = d + channels_;
    batch_ = {binding.capacity, inner_, channels_, binding.live, d + 2 * channels_};
  }
  void forward(bool training, const float* x, float* y) override {
    normalise(binding_.tools->stream, arrays_, batch_, training && !binding_.frozen, x, y);
  }
  void backward(const float* x, const float*, float* dy, float* dx) override {
    normalise_backward(binding_.tools->stream, arrays_, batch_, x, dy, binding_.input_gradient ? dx : nullptr,
                       gamma_gradient_, beta_gradient_, binding_.frozen);
  }

 private:
  CudaBinding binding_;
  std::int64_t channels_, inner_;
  DeviceArray<float> floats_;
  DeviceArray<double> doubles_;
  NormalisationArrays arrays_;
  NormalisationBatch batch_{};
  float *gamma_gradient_ = nullptr, *beta_gradient_ = nullptr;
};

inline const CudaLayers::Add<BatchNormalizationDevice, nn::BatchNormalizationOptions> batch_normalization;

}  // namespace timbre::cuda
