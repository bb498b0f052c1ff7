// activation: y = f(x) (nn/layers/activation.hpp); and what other layers share with it (layers/activation.hpp): bias and
// activation in one pass, the slopes, softmax over rows, one warp per row, and sums over rows.
#include "cuda/layers/activation.hpp"
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/support/columns.cuh"
#include "cuda/support/elementwise.cuh"
#include "cuda/support/warp.cuh"
#include "nn/layers/activation.hpp"

namespace timbre::cuda {

/// z = activation(z + bias); bias [columns] may be null.
template <class F>
struct BiasActivation {
  float* z;
  const float* bias;
  std::int64_t columns;
  template <class Index>
  __device__ void operator()(Index i) const {
    z[i] = F::value(bias ? z[i] + bias[i % static_cast<Index>(columns)] : z[i]);
  }
};

/// to = from * activation'(z), from the output y
template <class F>
struct Slope {
  const float* y;
  const float* from;
  float* to;
  template <class Index>
  __device__ void operator()(Index i) const {
    to[i] = from[i] * F::slope(y[i]);
  }
};

/// to = from * activation'(x), for those whose slope needs the input
template <class F>
struct InputSlope {
  const float* x;
  const float* from;
  float* to;
  template <class Index>
  __device__ void operator()(Index i) const {
    to[i] = from[i] * F::slope_at(x[i]);
  }
};

inline constexpr int softmax_rows_per_block = 4;

/// y = e^(z + bias - max) / sum, in place, for each row; bias may be null.
__global__ void __launch_bounds__(warp_size* softmax_rows_per_block)
    softmax_rows_kernel(float* __restrict__ z, const float* __restrict__ bias, std::int64_t rows,
                        std::int64_t columns) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * softmax_rows_per_block + threadIdx.y;
  if (row >= rows) return;  // a whole warp
  const int lane = static_cast<int>(threadIdx.x);
  float* v = z + row * columns;
  float top = -INFINITY;
  for (std::int64_t c = lane; c < columns; c += warp_size) {
    if (bias) v[c] += bias[c];
    top = fmaxf(top, v[c]);
  }
  top = warp_largest(top);
  float sum = 0;
  for (std::int64_t c = lane; c < columns; c += warp_size) sum += v[c] = expf(v[c] - top);
  sum = warp_sum(sum);
  for (std::int64_t c = lane; c < columns; c += warp_size) v[c] /= sum;
}

/// to = y (from - sum(from y)) for each row
__global__ void __launch_bounds__(warp_size* softmax_rows_per_block)
    softmax_slopes_kernel(const float* __restrict__ y, const float* from, float* to, std::int64_t rows,
                          std::int64_t columns) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * softmax_rows_per_block + threadIdx.y;
  if (row >= rows) return;
  const std::int64_t at = row * columns;
  float sum = 0;
  for (std::int64_t c = threadIdx.x; c < columns; c += warp_size) sum += from[at + c] * y[at + c];
  sum = warp_sum(sum);
  for (std::int64_t c = threadIdx.x; c < columns; c += warp_size)
    to[at + c] = y[at + c] * (from[at + c] - sum);
}

namespace {

dim3 softmax_grid(std::int64_t rows) {
  return dim3(static_cast<unsigned>((rows + softmax_rows_per_block - 1) / softmax_rows_per_block));
}

struct Element {
  const float* a;
  std::int64_t columns;
  __device__ float operator()(std::int64_t row, std::int64_t column) const {
    return a[row * columns + column];
  }
};

/// Each value multiplied by the slope in place, on its way into a sum.
template <class F>
struct SlopeInPlace {
  const float* y;
  float* dy;
  std::int64_t columns;
  __device__ float operator()(std::int64_t row, std::int64_t column) const {
    const std::int64_t at = row * columns + column;
    return dy[at] *= F::slope(y[at]);
  }
};

}  // namespace

void bias_activation(cudaStream_t stream, nn::Activation activation, const float* bias, float* z,
                     std::int64_t rows, std::int64_t columns) {
  if (activation == nn::Activation::softmax) {
    launch(softmax_rows_kernel, softmax_grid(rows), dim3(warp_size, softmax_rows_per_block), 0, stream, z,
           bias, rows, columns);
  } else if (nn::needs_input(activation)) {
    nn::with_input_activation(activation, [&](auto f) {
      for_each_element(stream, rows * columns, BiasActivation<decltype(f)>{z, bias, columns});
    });
  } else if (bias || activation != nn::Activation::linear) {
    nn::with_activation(activation, [&](auto f) {
      for_each_element(stream, rows * columns, BiasActivation<decltype(f)>{z, bias, columns});
    });
  }
}

void activation_slope(cudaStream_t stream, nn::Activation activation, const float* y, const float* from,
                      float* to, std::int64_t rows, std::int64_t columns) {
  if (activation == nn::Activation::softmax) {
    launch(softmax_slopes_kernel, softmax_grid(rows), dim3(warp_size, softmax_rows_per_block), 0, stream, y,
           from, to, rows, columns);
  } else if (to != from || activation != nn::Activation::linear) {
    nn::with_activation(activation, [&](auto f) {
      for_each_element(stream, rows * columns, Slope<decltype(f)>{y, from, to});
    });
  }
}

void input_activation_slope(cudaStream_t stream, nn::Activation activation, const float* x, const float* from,
                            float* to, std::int64_t count) {
  nn::with_input_activation(activation, [&](auto f) {
    for_each_element(stream, count, InputSlope<decltype(f)>{x, from, to});
  });
}

void activation_backward(cudaStream_t stream, nn::Activation activation, const float* y, float* dy,
                         std::int64_t rows, std::int64_t columns, float* work, float* bias_gradient) {
  if (bias_gradient && activation != nn::Activation::softmax && activation != nn::Activation::linear) {
    nn::with_activation(activation, [&](auto f) {
      sum_columns(stream, SlopeInPlace<decltype(f)>{y, dy, columns}, rows, columns, nullptr, 1, work,
                  StoreTotal<float>{bias_gradient});
    });
    return;
  }
  activation_slope(stream, activation, y, dy, dy, rows, columns);
  if (bias_gradient) column_sums(stream, dy, rows, columns, work, bias_gradient);
}

void column_sums(cudaStream_t stream, const float* a, std::int64_t rows, std::int64_t columns, float* work,
                 float* total) {
  sum_columns(stream, Element{a, columns}, rows, columns, nullptr, 1, work, StoreTotal<float>{total});
}
std::int64_t column_sums_work(std::int64_t rows, std::int64_t columns) {
  return column_pieces(rows) * columns;
}

// ---- The host's half

class ActivationDevice final : public CudaLayer {
 public:
  ActivationDevice(const nn::ActivationOptions& options, const CudaBinding& binding)
      : binding_(binding),
        activation_(nn::activation_of(options.activation)),
        columns_(binding.input.back()),
        rows_(binding.capacity * binding.input.size() / columns_) {
    if (binding.logits && activation_ == nn::Activation::softmax) activation_ = nn::Activation::linear;
  }
  void forward(bool, const float* x, float* y) override {
    copy_on_device(x, y, std::size_t(rows_ * columns_), binding_.tools->stream);
    bias_activation(binding_.tools->stream, activation_, nullptr, y, rows_, columns_);
  }
  void backward(const float* x, const float* y, float* dy, float* dx) override {
    if (!binding_.input_gradient) return;
    if (nn::needs_input(activation_))
      input_activation_slope(binding_.tools->stream, activation_, x, dy, dx, rows_ * columns_);
    else
      activation_slope(binding_.tools->stream, activation_, y, dy, dx, rows_, columns_);
  }

 private:
  CudaBinding binding_;
  nn::Activation activation_;
  std::int64_t columns_, rows_;
};

const CudaLayers::Add<ActivationDevice, nn::ActivationOptions> activation;

}  // namespace timbre::cuda
