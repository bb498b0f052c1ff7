// Between Keras's layout of an LSTM or GRU and cuDNN's, and between batch-major and time-major sequences.
//
// Keras: kernel (F, gu), recurrent_kernel (u, gu), bias (gu) of an LSTM or (2, gu) of a GRU, with the g gates side by side:
// i, f, c, o, or z, r, h.
// cuDNN: one matrix [u, F] or [u, u] per gate and kind, and two biases [u] per gate, anywhere in one weight space.
#pragma once

#include "cuda/support/elementwise.cuh"

namespace timbre::cuda {

/// Where cuDNN keeps each gate, by Keras's order, in floats from the start of its weight space.
struct RnnPlaces {
  std::int64_t kernel[4], recurrent[4], bias[4], recurrent_bias[4];
};
/// Keras's arrays (inputs, gu), (u, gu), (biases, gu).
struct RnnArrays {
  float *kernel, *recurrent, *bias;
  std::int64_t inputs, units;
  int gates, biases;  // 4 and 1 of an LSTM, 3 and 2 of a GRU; no biases without use_bias
};

/// One value of a layer's weights, counted through kernel, recurrent kernel and bias in Keras's layout.
struct RnnWeight {
  RnnPlaces at;
  RnnArrays a;
  float* space;
  bool to_space;  // the direction: weights go there, gradients come back
  template <class Index>
  __device__ void operator()(Index i) const {
    const std::int64_t inputs = a.inputs, units = a.units;
    const auto width = static_cast<Index>(a.gates * units);
    const std::int64_t row = i / width, column = i % width;
    const std::int64_t gate = i % width / static_cast<Index>(units), unit = column - gate * units;
    float* keras;
    std::int64_t place;
    if (row < inputs) {
      keras = a.kernel + i;
      place = at.kernel[gate] + unit * inputs + row;
    } else if (row < inputs + units) {
      keras = a.recurrent + (i - inputs * width);
      place = at.recurrent[gate] + unit * units + (row - inputs);
    } else {
      keras = a.bias + (i - (inputs + units) * width);
      place = (row == inputs + units ? at.bias : at.recurrent_bias)[gate] + unit;
    }
    if (to_space)
      space[place] = *keras;
    else
      *keras = space[place];
  }
};

/// Batch-major [rows, T, n] to time-major [T, rows, n] or, with `back`, the other way; one value of the
/// former. `reversed`: time runs backwards in the batch-major array.
struct TimeMajor {
  const float* from;
  float* to;
  std::int64_t rows, steps, size;
  bool back, reversed;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto n = static_cast<Index>(size), s = static_cast<Index>(steps);
    const std::int64_t v = i % n, t = i / n % s, row = i / n / s;
    const std::int64_t other = ((reversed ? steps - 1 - t : t) * rows + row) * size + v;
    if (back)
      to[i] = from[other];
    else
      to[other] = from[i];
  }
};

/// dy of the last step alone, [rows, n], as a time-major array [T, rows, n] with zeros before.
struct LastStepOnly {
  const float* last;
  float* all;
  std::int64_t rows, steps, size;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto first = static_cast<Index>((steps - 1) * rows * size);
    all[i] = i >= first ? last[i - first] : 0.0f;
  }
};

inline std::int64_t weights_of(const RnnArrays& a) {
  return (a.inputs + a.units + a.biases) * a.gates * a.units;
}
inline void to_weight_space(cudaStream_t stream, const RnnPlaces& places, const RnnArrays& arrays,
                            float* space) {
  for_each_element(stream, weights_of(arrays), RnnWeight{places, arrays, space, true});
}
inline void from_weight_space(cudaStream_t stream, const RnnPlaces& places, const RnnArrays& arrays,
                              float* space) {
  for_each_element(stream, weights_of(arrays), RnnWeight{places, arrays, space, false});
}
/// from [rows, T, n] -> to [T, rows, n]; reversed: time backwards.
inline void to_time_major(cudaStream_t stream, const float* from, float* to, std::int64_t rows,
                          std::int64_t steps, std::int64_t size, bool reversed) {
  for_each_element(stream, rows * steps * size, TimeMajor{from, to, rows, steps, size, false, reversed});
}
/// from [T, rows, n] -> to [rows, T, n]
inline void from_time_major(cudaStream_t stream, const float* from, float* to, std::int64_t rows,
                            std::int64_t steps, std::int64_t size, bool reversed) {
  for_each_element(stream, rows * steps * size, TimeMajor{from, to, rows, steps, size, true, reversed});
}
/// last [rows, n] -> all [T, rows, n], zeros but for the last step
inline void last_step_only(cudaStream_t stream, const float* last, float* all, std::int64_t rows,
                           std::int64_t steps, std::int64_t size) {
  for_each_element(stream, rows * steps * size, LastStepOnly{last, all, rows, steps, size});
}

}  // namespace timbre::cuda
