#include "layers/activation.cuh"
#include "layers/batch_normalization.cuh"
#include "layers/conv2d.cuh"
#include "layers/dropout.cuh"
#include "layers/kernels.hpp"
#include "layers/lstm.cuh"
#include "layers/max_pooling2d.cuh"

namespace timbre::cuda {
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

void apply_dropout(cudaStream_t stream, std::uint64_t seed, int index, double rate, const std::int64_t* step,
                   const float* from, float* to, std::int64_t count) {
  for_each_element(
      stream, (count + 3) / 4,
      DropoutBlock{seed, stream::dropout + static_cast<std::uint32_t>(index), static_cast<float>(rate),
                   static_cast<float>(1 / (1 - rate)), step, from, to, count});
}

std::int64_t normalisation_work(std::int64_t rows, std::int64_t inner, std::int64_t channels) {
  return 2 * column_pieces(rows * inner) * channels;
}

void normalise(cudaStream_t stream, const NormalisationArrays& a, const NormalisationBatch& b, bool training,
               const float* x, float* y) {
  if (training)
    sum_columns(stream, MomentsOf{x, b.channels}, b.rows * b.inner, b.channels, b.live, b.inner,
                reinterpret_cast<Pair*>(b.partial), BatchStatistics{a, b.live, b.inner});
  else
    for_each_element(stream, b.channels, MovingStatistics{a});
  for_each_element(stream, b.rows * b.inner * b.channels, Normalise{a, x, y, b.channels});
}

void normalise_backward(cudaStream_t stream, const NormalisationArrays& a, const NormalisationBatch& b,
                        const float* x, const float* dy, float* dx, float* gamma_gradient,
                        float* beta_gradient) {
  sum_columns(stream, ProductsOf{x, dy, a.mean, b.channels}, b.rows * b.inner, b.channels, b.live, b.inner,
              reinterpret_cast<Pair*>(b.partial),
              ChannelGradient{a, b.live, b.inner, gamma_gradient, beta_gradient});
  if (dx)
    for_each_element(stream, b.rows * b.inner * b.channels,
                     Denormalise{a, x, dy, dx, b.channels, b.inner, b.live});
}

void pool_forward(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures, const float* x,
                  float* y, std::uint16_t* place) {
  for_each_element(stream, pictures * grid.output_size(), PoolForward{grid, x, y, place});
}
void pool_backward(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures, const float* dy,
                   const std::uint16_t* place, float* dx) {
  for_each_element(stream, pictures * grid.input_size(), PoolBackward{grid, dy, place, dx});
}
void windows_to_columns(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures, const float* x,
                        float* columns) {
  for_each_element(stream, pictures * grid.places() * grid.window_size(), WindowsToColumns{grid, x, columns});
}
void columns_to_windows(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures,
                        const float* columns, float* dx) {
  for_each_element(stream, pictures * grid.input_size(), ColumnsToWindows{grid, columns, dx});
}

namespace {
std::int64_t weights_of(const LstmArrays& a) { return (a.inputs + a.units + (a.bias ? 1 : 0)) * 4 * a.units; }
}  // namespace

void lstm_to_space(cudaStream_t stream, const LstmPlaces& places, const LstmArrays& arrays, float* space) {
  for_each_element(stream, weights_of(arrays), LstmWeight{places, arrays, space, true});
}
void lstm_from_space(cudaStream_t stream, const LstmPlaces& places, const LstmArrays& arrays, float* space) {
  for_each_element(stream, weights_of(arrays), LstmWeight{places, arrays, space, false});
}
void to_time_major(cudaStream_t stream, const float* from, float* to, std::int64_t rows, std::int64_t steps,
                   std::int64_t size, bool reversed) {
  for_each_element(stream, rows * steps * size, TimeMajor{from, to, rows, steps, size, false, reversed});
}
void from_time_major(cudaStream_t stream, const float* from, float* to, std::int64_t rows, std::int64_t steps,
                     std::int64_t size, bool reversed) {
  for_each_element(stream, rows * steps * size, TimeMajor{from, to, rows, steps, size, true, reversed});
}
void last_step_only(cudaStream_t stream, const float* last, float* all, std::int64_t rows, std::int64_t steps,
                    std::int64_t size) {
  for_each_element(stream, rows * steps * size, LastStepOnly{last, all, rows, steps, size});
}

}  // namespace timbre::cuda
