// Between Keras's layout of an LSTM and cuDNN's, and between batch-major and time-major sequences.
//
// Keras: kernel (F, 4u), recurrent_kernel (u, 4u), bias (4u), gates side by side in the order i, f, c, o.
// cuDNN: one matrix [u, F] or [u, u] per gate and kind, and two biases [u] per gate, anywhere in one weight
// space; gates in the same order.
#pragma once

#include "cuda/support/elementwise.cuh"

namespace timbre::cuda {

/// Where cuDNN keeps the gates i, f, c, o, in floats from the start of its weight space.
struct LstmPlaces {
  std::int64_t kernel[4], recurrent[4], bias[4];
};
/// Keras's arrays (inputs, 4u), (u, 4u), (4u); bias may be null.
struct LstmArrays {
  float *kernel, *recurrent, *bias;
  std::int64_t inputs, units;
};

/// One value of an LSTM's weights, counted through kernel, recurrent kernel and bias in Keras's layout.
struct LstmWeight {
  LstmPlaces at;
  LstmArrays a;
  float* space;
  bool to_space;  // the direction: weights go there, gradients come back
  template <class Index>
  __device__ void operator()(Index i) const {
    const std::int64_t inputs = a.inputs, units = a.units;
    const auto gates = static_cast<Index>(4 * units);
    const std::int64_t row = i / gates, column = i % gates;
    const std::int64_t gate = i % gates / static_cast<Index>(units), unit = column - gate * units;
    float* keras;
    std::int64_t place;
    if (row < inputs) {
      keras = a.kernel + i;
      place = at.kernel[gate] + unit * inputs + row;
    } else if (row < inputs + units) {
      keras = a.recurrent + (i - inputs * 4 * units);
      place = at.recurrent[gate] + unit * units + (row - inputs);
    } else {
      keras = a.bias + column;
      place = at.bias[gate] + unit;
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

inline std::int64_t weights_of(const LstmArrays& a) {
  return (a.inputs + a.units + (a.bias ? 1 : 0)) * 4 * a.units;
}
inline void lstm_to_space(cudaStream_t stream, const LstmPlaces& places, const LstmArrays& arrays,
                          float* space) {
  for_each_element(stream, weights_of(arrays), LstmWeight{places, arrays, space, true});
}
inline void lstm_from_space(cudaStream_t stream, const LstmPlaces& places, const LstmArrays& arrays,
                            float* space) {
  for_each_element(stream, weights_of(arrays), LstmWeight{places, arrays, space, false});
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
