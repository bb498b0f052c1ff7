// What cuDNN's RNNs compute, as plain loops in double: one layer over sequences of one length.
#pragma once

#include <cstddef>
#include <cstdint>

namespace simt {

/// The weight space: for each gate, from the last to the first: second bias, R [u, u], first bias, W [u, F].
struct Space {
  int inputs, units, gates;
  std::int64_t gate_size() const { return std::int64_t(units) * (inputs + units + 2); }
  std::int64_t bias_2(int gate) const { return (gates - 1 - gate) * gate_size(); }
  std::int64_t recurrent(int gate) const { return bias_2(gate) + units; }
  std::int64_t bias_1(int gate) const { return recurrent(gate) + std::int64_t(units) * units; }
  std::int64_t kernel(int gate) const { return bias_1(gate) + units; }
  std::size_t bytes() const { return std::size_t(gates * gate_size()) * sizeof(float); }
};

/// An LSTM has the gates i f g o, a GRU r z n. The reserve holds five values per step, row and unit: an LSTM's gates and c, or a
/// GRU's gates, h R_n + c_n, and the h before; in backward the gradients of the gates (and of h R_n + c_n) take their places.
struct Sequence {
  int steps, rows, inputs, units, gates;
  Space space() const { return {inputs, units, gates}; }
  float* kept(float* reserve, int t, int row) const {
    return reserve + (std::int64_t(t) * rows + row) * 5 * units;
  }

  void forward(const float* weights, const float* x, float* y, float* reserve) const;
  /// Leaves the gates' gradients in the reserve, for backward_weights.
  void backward_data(const float* weights, const float* dy, float* dx, float* reserve) const;
  /// Adds to the gradients.
  void backward_weights(const float* x, const float* y, float* gradients, float* reserve) const;

 private:
  bool lstm() const { return gates == 4; }
  /// x W + b and h R + c of a gate's unit. h: null at the first step.
  double from_x(const float* weights, const float* x, int gate, int unit) const;
  double from_h(const float* weights, const float* h, int gate, int unit) const;
  /// The gradient of h R + c in what backward_data leaves.
  double recurrent_gradient(const float* kept, int gate, int unit) const;
};

}  // namespace simt
