#include "nn/activation_cpu.hpp"

#include <algorithm>

#include "core/simd.hpp"

namespace timbre::nn {
namespace {

constexpr std::int64_t piece_elements = 1 << 14;

std::int64_t pieces_of(std::int64_t rows, std::int64_t columns) {
  return piece_count(rows, std::max<std::int64_t>(1, piece_elements / std::max<std::int64_t>(1, columns)));
}

void add_bias(const float* bias, float* z, std::int64_t rows, std::int64_t columns) {
  vectorised([&] {
    for (std::int64_t r = 0; r < rows; ++r, z += columns) {
#pragma omp simd
      for (std::int64_t c = 0; c < columns; ++c) z[c] += bias[c];
    }
  });
}

// One loop per function, so that each is compiled per instruction set.
template <class F>
inline __attribute__((always_inline)) void value_loop(float* z, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) z[i] = F::value(z[i]);
}
void values(Activation activation, float* z, std::int64_t n) {
  vectorised([&] {
    switch (activation) {
      case Activation::relu:
        return value_loop<Relu>(z, n);
      case Activation::sigmoid:
        return value_loop<Sigmoid>(z, n);
      case Activation::tanh:
        return value_loop<Tanh>(z, n);
      case Activation::elu:
        return value_loop<Elu>(z, n);
      case Activation::leaky_relu:
        return value_loop<LeakyRelu>(z, n);
      case Activation::selu:
        return value_loop<Selu>(z, n);
      case Activation::silu:
        return value_loop<Silu>(z, n);
      case Activation::gelu:
        for (std::int64_t i = 0; i < n; ++i) z[i] = Gelu::value(z[i]);  // erf stays a call
        return;
      case Activation::linear:
      case Activation::softmax:
        return;
    }
  });
}

template <class F>
inline __attribute__((always_inline)) void slope_loop(const float* y, float* dy, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) dy[i] *= F::slope(y[i]);
}
void slopes(Activation activation, const float* y, float* dy, std::int64_t n) {
  vectorised([&] {
    switch (activation) {
      case Activation::relu:
        return slope_loop<Relu>(y, dy, n);
      case Activation::sigmoid:
        return slope_loop<Sigmoid>(y, dy, n);
      case Activation::tanh:
        return slope_loop<Tanh>(y, dy, n);
      case Activation::elu:
        return slope_loop<Elu>(y, dy, n);
      case Activation::leaky_relu:
        return slope_loop<LeakyRelu>(y, dy, n);
      case Activation::selu:
        return slope_loop<Selu>(y, dy, n);
      case Activation::silu:  // these two need the input
      case Activation::gelu:
      case Activation::linear:
      case Activation::softmax:
        return;
    }
  });
}

// dz = y * (dy - sum(dy * y)) for each row
void softmax_slopes(const float* y, float* dy, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t r = 0; r < rows; ++r, y += columns, dy += columns) {
    float sum = 0;
    for (std::int64_t c = 0; c < columns; ++c) sum += dy[c] * y[c];
    for (std::int64_t c = 0; c < columns; ++c) dy[c] = y[c] * (dy[c] - sum);
  }
}

void sum_rows(const float* a, std::int64_t rows, std::int64_t columns, float* sum) {
  vectorised([&] {
    std::fill_n(sum, columns, 0.0f);
    for (std::int64_t r = 0; r < rows; ++r, a += columns) {
#pragma omp simd
      for (std::int64_t c = 0; c < columns; ++c) sum[c] += a[c];
    }
  });
}

}  // namespace

void apply_activation(ThreadPool& pool, Activation activation, const float* bias, float* z, std::int64_t rows,
                      std::int64_t columns) {
  if (!bias && activation == Activation::linear) return;
  const auto pieces = pieces_of(rows, columns);
  pool.parallel_for(pieces, [&](std::int64_t i, int) {
    const auto part = piece_of(rows, pieces, i);
    float* p = z + part.begin * columns;
    if (bias) add_bias(bias, p, part.size(), columns);
    if (activation == Activation::softmax)
      softmax_rows(p, part.size(), columns);
    else
      values(activation, p, part.size() * columns);
  });
}

void activate(Activation activation, const float* bias, float* z, std::int64_t stride, Tile tile) {
  const auto columns = tile.columns.size();
  for (auto r = tile.rows.begin; r < tile.rows.end; ++r) {
    float* p = z + r * stride + tile.columns.begin;
    if (bias) add_bias(bias + tile.columns.begin, p, 1, columns);
    values(activation, p, columns);
  }
}

void activation_gradient(ThreadPool& pool, Activation activation, const float* y, float* dy,
                         std::int64_t rows, std::int64_t columns, float* bias_gradient,
                         std::vector<float>& partial) {
  if (!bias_gradient && activation == Activation::linear) return;
  const auto pieces = pieces_of(rows, columns);
  if (bias_gradient) partial.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, pieces * columns)));
  pool.parallel_for(pieces, [&](std::int64_t i, int) {
    const auto part = piece_of(rows, pieces, i);
    const float* yp = y + part.begin * columns;
    float* dp = dy + part.begin * columns;
    if (activation == Activation::softmax)
      softmax_slopes(yp, dp, part.size(), columns);
    else
      slopes(activation, yp, dp, part.size() * columns);
    if (bias_gradient) sum_rows(dp, part.size(), columns, partial.data() + i * columns);
  });
  if (bias_gradient) sum_rows(partial.data(), pieces, columns, bias_gradient);
}

void input_activation_gradient(ThreadPool& pool, Activation activation, const float* x, const float* dy,
                               float* dx, std::int64_t count) {
  const auto pieces = piece_count(count, piece_elements);
  pool.parallel_for(pieces, [&](std::int64_t i, int) {
    const auto part = piece_of(count, pieces, i);
    with_input_activation(activation, [&](auto f) {
      for (auto e = part.begin; e < part.end; ++e) dx[e] = dy[e] * f.slope_at(x[e]);
    });
  });
}

}  // namespace timbre::nn
