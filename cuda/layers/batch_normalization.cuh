// Batch normalisation over the last axis (nn/layers/batch_normalization.cpp has the formulas). Sums are
// doubles, added in a fixed order over the rows of the batch that are live; dx of the others is zero.
#pragma once

#include "layers/kernels.hpp"
#include "nn/layers/batch_normalization.hpp"
#include "support/columns.cuh"
#include "support/elementwise.cuh"

namespace timbre::cuda {

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

/// What a channel's values are multiplied with and moved by, from its statistics.
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

}  // namespace timbre::cuda
