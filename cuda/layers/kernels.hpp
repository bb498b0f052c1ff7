// The layers' kernels, as functions that enqueue them. Pointers are to device memory; sizes are checked by
// nobody here. Each kernel stands in its own .cuh, with its formula; kernels.cu chooses grids and blocks.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "core/philox.hpp"  // TIMBRE_HD
#include "nn/activation.hpp"

namespace timbre::cuda {

// ---- activations: z, y, from, to [rows, columns]

/// z = activation(z + bias) in place; bias [columns] may be null.
void bias_activation(cudaStream_t stream, nn::Activation activation, const float* bias, float* z,
                     std::int64_t rows, std::int64_t columns);
/// to = from * activation'(z), from the output y; to may be from.
void activation_slope(cudaStream_t stream, nn::Activation activation, const float* y, const float* from,
                      float* to, std::int64_t rows, std::int64_t columns);
/// The same in place, and bias_gradient [columns], if not null, are the sums of what comes out over the rows;
/// work as for column_sums.
void activation_backward(cudaStream_t stream, nn::Activation activation, const float* y, float* dy,
                         std::int64_t rows, std::int64_t columns, float* work, float* bias_gradient);
/// total [columns]: sums over the rows, in an order that depends on the size alone. work: column_sums_work
/// floats.
void column_sums(cudaStream_t stream, const float* a, std::int64_t rows, std::int64_t columns, float* work,
                 float* total);
std::int64_t column_sums_work(std::int64_t rows, std::int64_t columns);

// ---- dropout

/// to = from * mask, the masks of nn/layers/dropout.cpp for layer `index` and step *step; to may be from.
void apply_dropout(cudaStream_t stream, std::uint64_t seed, int index, double rate, const std::int64_t* step,
                   const float* from, float* to, std::int64_t count);

// ---- batch normalisation: x, y, dy, dx [rows * inner, channels]; the first *live of `rows` are the batch's

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
std::int64_t normalisation_work(std::int64_t rows, std::int64_t inner, std::int64_t channels);
/// training: statistics of the batch, and the moving ones follow; otherwise the moving ones.
void normalise(cudaStream_t stream, const NormalisationArrays& arrays, const NormalisationBatch& batch,
               bool training, const float* x, float* y);
/// gamma_gradient, beta_gradient and dx may be null; dx of rows that are not the batch's is zero.
void normalise_backward(cudaStream_t stream, const NormalisationArrays& arrays,
                        const NormalisationBatch& batch, const float* x, const float* dy, float* dx,
                        float* gamma_gradient, float* beta_gradient);

// ---- windows over pictures (nn/layers/window.hpp)

struct WindowSide {
  std::int32_t in, kernel, stride, out, before;
};
struct WindowGrid {
  WindowSide h, w;
  std::int64_t channels;
  TIMBRE_HD std::int64_t input_size() const { return static_cast<std::int64_t>(h.in) * w.in * channels; }
  TIMBRE_HD std::int64_t output_size() const { return places() * channels; }
  TIMBRE_HD std::int64_t places() const { return static_cast<std::int64_t>(h.out) * w.out; }
  TIMBRE_HD std::int64_t window_size() const {
    return static_cast<std::int64_t>(h.kernel) * w.kernel * channels;
  }
  struct Place {
    std::int64_t picture, channel;
    std::int32_t h, w;
  };
  /// Where value i of pictures of `height` x `width` x channels lies.
  template <class Index>
  TIMBRE_HD Place place_in(Index i, std::int32_t height, std::int32_t width) const {
    const auto c = static_cast<Index>(channels), x = static_cast<Index>(width),
               y = static_cast<Index>(height);
    const Index pixel = i / c, row = pixel / x;
    return {static_cast<std::int64_t>(row / y), static_cast<std::int64_t>(i % c),
            static_cast<std::int32_t>(row % y), static_cast<std::int32_t>(pixel % x)};
  }
};
/// place [pictures, H', W', C]: which value of its window was the largest.
void pool_forward(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures, const float* x,
                  float* y, std::uint16_t* place);
void pool_backward(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures, const float* dy,
                   const std::uint16_t* place, float* dx);
/// columns [pictures * places, window_size]
void windows_to_columns(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures, const float* x,
                        float* columns);
/// dx: each value the sum of what stands for it in `columns`
void columns_to_windows(cudaStream_t stream, const WindowGrid& grid, std::int64_t pictures,
                        const float* columns, float* dx);

// ---- lstm: Keras's layout and cuDNN's

/// Where cuDNN keeps the gates i, f, c, o, in floats from the start of its weight space.
struct LstmPlaces {
  std::int64_t kernel[4], recurrent[4], bias[4];
};
/// Keras's arrays (inputs, 4u), (u, 4u), (4u); bias may be null.
struct LstmArrays {
  float *kernel, *recurrent, *bias;
  std::int64_t inputs, units;
};
void lstm_to_space(cudaStream_t stream, const LstmPlaces& places, const LstmArrays& arrays, float* space);
void lstm_from_space(cudaStream_t stream, const LstmPlaces& places, const LstmArrays& arrays, float* space);
/// from [rows, T, n] -> to [T, rows, n]; reversed: time backwards.
void to_time_major(cudaStream_t stream, const float* from, float* to, std::int64_t rows, std::int64_t steps,
                   std::int64_t size, bool reversed);
/// from [T, rows, n] -> to [rows, T, n]
void from_time_major(cudaStream_t stream, const float* from, float* to, std::int64_t rows, std::int64_t steps,
                     std::int64_t size, bool reversed);
/// last [rows, n] -> all [T, rows, n], zeros but for the last step
void last_step_only(cudaStream_t stream, const float* last, float* all, std::int64_t rows, std::int64_t steps,
                    std::int64_t size);

}  // namespace timbre::cuda
