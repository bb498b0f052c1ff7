// One time step of an LSTM for a few rows, forward and backward: the recurrent product and the gates together.
//
//   z = x W (given) + b + h' R        i, f, o = sigmoid z_i, z_f, z_o     g = tanh z_c
//   c = f c' + i g                    h = o tanh c                        (h', c': of the step before)
//
// Backward, with dz' the gradient at z of the step after, dh = dy + dz' R^T:
//   dc = dc' + dh o (1 - tanh^2 c)    dz_o = dh tanh c o (1 - o)          dz_i = dc g i (1 - i)
//   dz_f = dc c' f (1 - f)            dz_c = dc i (1 - g^2)               dc handed on: dc f
//
// Layout inside the operation: units are padded to `padded`, a multiple of 16, with zero weights (a padded unit
// stays 0 and sends no gradient). A row of z has 4 * padded values in blocks of 16 units:
// [padded / 16][i f c o][16]. A row of h or c has `padded` values. All rows of a step are contiguous.
#pragma once

#include <cstdint>
#include <vector>

#include "core/aligned.hpp"

namespace timbre::nn {

struct LstmSize {
  std::int64_t units, padded;  // padded: units rounded up to 16
  std::int64_t gates() const { return 4 * padded; }
};
inline LstmSize lstm_size(std::int64_t units) { return {units, (units + 15) / 16 * 16}; }
/// Place of a unit's gate in a row of z.
inline std::int64_t gate_index(std::int64_t unit, std::int64_t gate) {
  return (unit / 16 * 4 + gate) * 16 + unit % 16;
}

struct LstmForward {
  std::int64_t rows;
  const float* recurrent;  // as packed by LstmCell::pack
  const float* bias;       // [4 padded]
  float* z;                // [rows, 4 padded]: x W, becomes the gates i f g o
  const float* h_before;   // [rows, padded]
  const float* c_before;
  float* c;
  float* tanh_c;
  float* h;
};

struct LstmBackward {
  std::int64_t rows;
  const float* recurrent;  // as packed by LstmCell::pack
  const float* dz_after;   // [rows, 4 padded], nullptr at the last step
  float* dh;               // [rows, padded]: dy; work space
  float* dc;               // [rows, padded]: from the step after; becomes that for the step before
  const float* c_before;
  const float* tanh_c;
  float* z;  // [rows, 4 padded]: the gates, becomes dz
};

/// An implementation for one instruction set.
struct LstmCell {
  const char* name;
  /// Packs R [units, 4 units] (Keras's layout) into work space: forward takes units * 4 padded values,
  /// backward padded * 4 padded. Blocks [first, last) of 16 units are packed, so that threads can share the work.
  void (*pack_forward)(const LstmSize&, const float* recurrent, float* packed, std::int64_t first,
                       std::int64_t last);
  void (*pack_backward)(const LstmSize&, const float* recurrent, float* packed, std::int64_t first,
                        std::int64_t last);
  void (*forward)(const LstmSize&, const LstmForward&);
  void (*backward)(const LstmSize&, const LstmBackward&);
};

/// Those that may run here (core/isa.hpp), the best first; the last is the plain one, on sgemm.
const std::vector<const LstmCell*>& lstm_cells();

}  // namespace timbre::nn
