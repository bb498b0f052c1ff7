// The recurrence of an LSTM by an own kernel, as functions that enqueue it (lstm_recurrence.cuh says how it
// works): h and the gates of all time steps, given x W; and dz of all time steps, given dy.
//
// Arrays are batch-major, [rows, T, ..], as everywhere; R and the bias lie in Keras's layout, gates in the
// order i, f, c, o. With `backwards` the sequence is processed from its end: y and dy stand in the order of
// processing, all else in the order of x, so that dW, dR, db and dx are plain products over [rows * T, ..].
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace timbre::cuda {

/// More units than this do not fit on the chip.
inline constexpr std::int64_t largest_recurrence = 128;

struct LstmRunSize {
  std::int32_t rows, steps, units;
  bool backwards, sequences;
};

struct LstmForwardRun {
  LstmRunSize size;
  const float* recurrent;  // (u, 4u)
  const float* bias;       // (4u), may be null
  float* z;                // [rows, T, 4u]: x W; becomes the gates i, f, c, o where cell is not null
  float* cell;             // [rows, T, u]: c; null for inference
  float* before;           // [rows, T, u]: h of the step before; not written where cell is null
  float* y;                // [rows, T, u], or of the last step [rows, u] (size.sequences)
};
struct LstmBackwardRun {
  LstmRunSize size;
  const float* recurrent;
  float* gates;       // [rows, T, 4u]: i, f, c, o; becomes dz
  const float* cell;  // [rows, T, u]
  const float* dy;    // as y
};

/// 1 to largest_recurrence units, 1 step or more.
void lstm_forward(cudaStream_t stream, const LstmForwardRun& run);
void lstm_backward(cudaStream_t stream, const LstmBackwardRun& run);

}  // namespace timbre::cuda
