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

#include "core/aligned.hpp"
#include "core/gemm.hpp"
#include "core/isa.hpp"

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
  const float* h_before;  // not read here: fetched for the products that follow
  const float* tanh_c;
  float* z;  // [rows, 4 padded]: the gates, becomes dz
  // dz once more, as rows `packed_row`, ... of a packed matrix [packed_rows, 4 padded]
  float* packed_dz;
  PackedLayout layout;
  std::int64_t packed_row, packed_rows;
  float* d_bias;  // [4 padded]: the sums of dz over the rows are added
};

/// The step for one instruction set.
struct LstmCell {
  PackedLayout layout;  // in which forward and backward want the recurrent weights
  /// Pack weights [rows, 4 units] in Keras's layout: the kernel, rows = F, or the recurrent kernel, rows = units.
  /// Both give packed matrices (core/gemm.hpp): forward that of the weights, [rows, 4 padded]; backward that of their
  /// transpose, [4 padded, rows]. Blocks [first, last) of 16 units are packed, so that threads can share the work.
  void (*pack_forward)(const LstmSize&, std::int64_t rows, const float* weights, float* packed,
                       PackedLayout layout, std::int64_t first, std::int64_t last);
  void (*pack_backward)(const LstmSize&, std::int64_t rows, const float* weights, float* packed,
                        PackedLayout layout, std::int64_t first, std::int64_t last);
  void (*forward)(const LstmSize&, const LstmForward&);
  void (*backward)(const LstmSize&, const LstmBackward&);
};

/// The step for an instruction set that this machine has.
const LstmCell& lstm_cell_for(Isa isa);

}  // namespace timbre::nn
