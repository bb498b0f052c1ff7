// The recurrence of an LSTM over whole sequences, in one launch; blocks do not communicate
// (nn/layers/lstm_cell.hpp has the formulas).
//
// A block takes `rows` rows of the batch through all time steps. The recurrent kernel R stays on the chip
// for the whole launch: each of 256 threads holds the weights from 4V inputs to four outputs, the first
// `kept` of its V vectors of inputs in registers and the rest in shared memory. What goes from step to step
// is one row of h (forward) or dz (backward) in shared memory, in two buffers that take turns, so that a step
// has one barrier.
//
// Why: 520 dependent steps (two layers, forward and backward, T = 130) rule the time of a training step at
// batch 20. At 128 units a step is 65,536 multiplications and additions a row, 512 cycles of one SM; the
// shared memory gives 128 bytes a cycle, so weights there cost 4 times a weight in a register, and both pipes
// are about equally full with kept = 12 of 16. Rows never meet, so any number of launches run side by side
// and a row's result does not depend on the others.
//
// Outputs of a thread: forward, the four gates of one unit; backward, dh of four neighbouring units. The
// `parts` lanes with the same outputs and other inputs lie side by side and add up by shuffles, in one order.
//
// Arrays are batch-major, [rows, T, ..], as everywhere; R and the bias lie in Keras's layout, gates in the
// order i, f, c, o. With `backwards` the sequence is processed from its end: y and dy are in the order of
// processing, all else in the order of x, so that dW, dR, db and dx are plain products over [rows * T, ..].
#pragma once

#include "cuda/support/kernel.hpp"
#include "nn/activation.hpp"

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

inline constexpr int recurrence_threads = 256;

/// Weights of four outputs and `vectors` * 4 inputs: vector i of a thread stands for the inputs
/// 4 (i parts + part) .. + 3.
template <int vectors, int kept, int parts>
struct ChipWeights {
  static constexpr int shared_bytes = (vectors - kept) * 4 * recurrence_threads * 16;
  float4 in_registers[kept][4];
  const float4* in_shared;  // [vectors - kept][4][threads]

  /// weight(input, output) gives a weight, zero for padding.
  template <class Weight>
  __device__ void load(float4* shared, int part, Weight weight) {
    TIMBRE_UNROLL
    for (int i = 0; i < vectors; ++i) {
      const int in = 4 * (i * parts + part);
      TIMBRE_UNROLL
      for (int out = 0; out < 4; ++out) {
        const float4 w{weight(in, out), weight(in + 1, out), weight(in + 2, out), weight(in + 3, out)};
        if (i < kept)
          in_registers[i][out] = w;
        else
          shared[((i - kept) * 4 + out) * recurrence_threads + static_cast<int>(threadIdx.x)] = w;
      }
    }
    in_shared = shared + threadIdx.x;
  }

  /// sum[row][out] = this part's share of the products with in [rows][vectors * parts].
  template <int rows>
  __device__ void product(const float4* in, int part, float (&sum)[rows * 4]) const {
    TIMBRE_UNROLL
    for (int k = 0; k < rows * 4; ++k) sum[k] = 0.0f;
    TIMBRE_UNROLL
    for (int i = 0; i < vectors; ++i) {
      float4 v[rows];
      TIMBRE_UNROLL
      for (int r = 0; r < rows; ++r) v[r] = in[(r * vectors + i) * parts + part];
      TIMBRE_UNROLL
      for (int out = 0; out < 4; ++out) {
        const float4 w = i < kept ? in_registers[i < kept ? i : 0][out]
                                  : in_shared[((i - kept) * 4 + out) * recurrence_threads];
        TIMBRE_UNROLL
        for (int r = 0; r < rows; ++r) {
          float& s = sum[r * 4 + out];
          s += w.x * v[r].x;
          s += w.y * v[r].y;
          s += w.z * v[r].z;
          s += w.w * v[r].w;
        }
      }
    }
  }
};

/// Adds v over `parts` neighbouring lanes. v has `groups` groups of `width` values; while there is more than
/// one, each round halves what a lane goes on with. In the end the sums of the lane's group come first.
template <int parts, int groups, int width>
__device__ void sum_over_parts(float (&v)[groups * width]) {
  int count = groups;
  TIMBRE_UNROLL
  for (int distance = 1; distance < parts; distance *= 2) {
    if (count > 1) {
      count /= 2;
      const bool upper = (threadIdx.x & static_cast<unsigned>(distance)) != 0;
      TIMBRE_UNROLL
      for (int i = 0; i < groups * width / 2; ++i)
        if (i < count * width) {
          const float other = upper ? v[i] : v[i + count * width];
          v[i] = (upper ? v[i + count * width] : v[i]) + __shfl_xor_sync(whole_warp, other, distance);
        }
    } else {
      TIMBRE_UNROLL
      for (int i = 0; i < width; ++i) v[i] += __shfl_xor_sync(whole_warp, v[i], distance);
    }
  }
}
/// The group that a lane ends with.
template <int groups>
__device__ int group_of(int part) {
  int group = 0;
  TIMBRE_UNROLL
  for (int count = groups / 2; count > 0; count /= 2, part /= 2) group += part % 2 * count;
  return group;
}

/// How the threads share the weights of up to `padded` units.
template <int padded, int kept>
struct ForwardTiling {
  static constexpr int parts = recurrence_threads / padded, vectors = padded / 4 / parts;
  using Weights = ChipWeights<vectors, kept, parts>;
};
template <int padded, int kept>
struct BackwardTiling {
  static constexpr int parts = recurrence_threads / (padded / 4), vectors = padded / parts;
  using Weights = ChipWeights<vectors, kept, parts>;
};

/// Grid: a block per `rows` rows. z: x W on entry.
template <int padded, int rows, int kept>
__global__ void __launch_bounds__(recurrence_threads, 1) lstm_forward_kernel(LstmForwardRun a) {
  using Tiling = ForwardTiling<padded, kept>;
  TIMBRE_SHARED(float4, state, [2 * rows * padded / 4]);  // h, [2][rows][padded]
  TIMBRE_DYNAMIC_SHARED(float4, rest);
  const int part = static_cast<int>(threadIdx.x) % Tiling::parts,
            unit = static_cast<int>(threadIdx.x) / Tiling::parts, mine = group_of<rows>(part);
  const std::int32_t units = a.size.units, steps = a.size.steps;
  const bool is_unit = unit < units;
  typename Tiling::Weights weights;
  weights.load(rest, part, [&](int in, int gate) {
    return is_unit && in < units ? a.recurrent[(in * 4 + gate) * units + unit] : 0.0f;
  });
  float bias[4];
  TIMBRE_UNROLL
  for (int gate = 0; gate < 4; ++gate) bias[gate] = is_unit && a.bias ? a.bias[gate * units + unit] : 0.0f;

  const std::int32_t row = static_cast<std::int32_t>(blockIdx.x) * rows + mine;
  const bool live = is_unit && row < a.size.rows;
  const bool writes = live && part < rows;  // of the lanes with the same sums, the first
  float* const h = &state[0].x;
  if (part < rows) h[mine * padded + unit] = 0.0f;
  float c = 0.0f;
  const std::int32_t forward = a.size.backwards ? -units : units;
  std::int32_t at =
      (row * steps + (a.size.backwards ? steps - 1 : 0)) * units;          // of this step in [rows, T, u]
  std::int32_t out = row * (a.size.sequences ? steps : 1) * units + unit;  // in y
  for (std::int32_t s = 0; s < steps; ++s, at += forward) {
    float* const z = a.z + (4 * at + unit);
    float given[4];
    TIMBRE_UNROLL
    for (int gate = 0; gate < 4; ++gate) given[gate] = live ? z[gate * units] : 0.0f;
    __syncthreads();  // h of the step before is complete
    float sum[rows * 4];
    weights.template product<rows>(state + s % 2 * rows * padded / 4, part, sum);
    sum_over_parts<Tiling::parts, rows, 4>(sum);
    const float i = nn::Sigmoid::value(given[0] + bias[0] + sum[0]),
                f = nn::Sigmoid::value(given[1] + bias[1] + sum[1]),
                g = nn::Tanh::value(given[2] + bias[2] + sum[2]),
                o = nn::Sigmoid::value(given[3] + bias[3] + sum[3]);
    c = f * c + i * g;
    const float next = o * nn::Tanh::value(c);
    if (part < rows) h[((s + 1) % 2 * rows + mine) * padded + unit] = next;
    if (!writes) continue;
    if (a.size.sequences || s == steps - 1) a.y[out] = next;
    if (a.size.sequences) out += units;
    if (!a.cell) continue;
    z[0] = i, z[units] = f, z[2 * units] = g, z[3 * units] = o;
    a.cell[at + unit] = c;
    if (s == 0) a.before[at + unit] = 0.0f;
    if (s < steps - 1) a.before[at + forward + unit] = next;
  }
}

/// Grid: a block per `rows` rows. gates: i, f, c, o on entry; becomes dz.
template <int padded, int rows, int kept>
__global__ void __launch_bounds__(recurrence_threads, 1) lstm_backward_kernel(LstmBackwardRun a) {
  using Tiling = BackwardTiling<padded, kept>;
  TIMBRE_SHARED(float4, state, [2 * rows * padded]);  // dz, [2][rows][4][padded]
  TIMBRE_DYNAMIC_SHARED(float4, rest);
  const int part = static_cast<int>(threadIdx.x) % Tiling::parts,
            first_unit = static_cast<int>(threadIdx.x) / Tiling::parts * 4, group = group_of<rows * 4>(part),
            mine = group / 4, unit = first_unit + group % 4;
  const std::int32_t units = a.size.units, steps = a.size.steps;
  typename Tiling::Weights weights;
  weights.load(rest, part, [&](int in, int out) {
    const int gate = in / padded, from = in % padded, to = first_unit + out;
    return from < units && to < units ? a.recurrent[(to * 4 + gate) * units + from] : 0.0f;
  });

  const std::int32_t row = static_cast<std::int32_t>(blockIdx.x) * rows + mine;
  const bool live = unit < units && row < a.size.rows, first = part < 4 * rows, writes = live && first;
  float* const dz = &state[0].x;
  const std::int32_t forward = a.size.backwards ? -units : units;
  std::int32_t at =
      (row * steps + (a.size.backwards ? 0 : steps - 1)) * units;  // of this step in [rows, T, u]
  struct Saved {
    float i, f, g, o, c, c_before, dy;
  };
  const auto saved = [&](std::int32_t s, std::int32_t place) {
    Saved v{};
    if (!live) return v;
    const float* const gates = a.gates + (4 * place + unit);
    v.i = gates[0], v.f = gates[units], v.g = gates[2 * units], v.o = gates[3 * units];
    v.c = a.cell[place + unit];
    v.c_before = s > 0 ? a.cell[place - forward + unit] : 0.0f;
    if (a.size.sequences || s == steps - 1)
      v.dy = a.dy[(a.size.sequences ? row * steps + s : row) * units + unit];
    return v;
  };
  float dc = 0.0f, dh = 0.0f;  // from the step after
  Saved now = saved(steps - 1, at);
  for (std::int32_t s = steps - 1;; --s, at -= forward) {
    dh += now.dy;
    const float tanh_c = nn::Tanh::value(now.c);
    dc += dh * now.o * nn::Tanh::slope(tanh_c);
    const float dz_of[4] = {dc * now.g * nn::Sigmoid::slope(now.i),
                            dc * now.c_before * nn::Sigmoid::slope(now.f),
                            dc * now.i * nn::Tanh::slope(now.g), dh * tanh_c * nn::Sigmoid::slope(now.o)};
    dc *= now.f;
    TIMBRE_UNROLL
    for (int gate = 0; gate < 4; ++gate) {
      if (first) dz[((s % 2 * rows + mine) * 4 + gate) * padded + unit] = dz_of[gate];
      if (writes) a.gates[4 * at + gate * units + unit] = dz_of[gate];
    }
    if (s == 0) break;
    now = saved(s - 1, at - forward);
    __syncthreads();  // dz of this step is complete
    float sum[rows * 4];
    weights.template product<rows>(state + s % 2 * rows * padded, part, sum);
    sum_over_parts<Tiling::parts, rows * 4, 1>(sum);
    dh = sum[0];
  }
}

}  // namespace timbre::cuda
