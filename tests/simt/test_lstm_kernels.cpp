// The recurrence of an LSTM on the SIMT host: gates, states, outputs and gradients of whole sequences against
// loops in double, in every order of threads; its barriers, taken out, must show; and a row's result is the
// same bytes whatever rows lie beside it.
#include <gtest/gtest.h>

#include "cuda/layers/lstm_recurrence.cuh"
#include "device/environment.hpp"
#include "kernel_harness.hpp"

namespace timbre::cuda {
namespace {

struct Sequence {
  LstmRunSize size;
  bool bias = true;
  std::size_t cells() const { return std::size_t(size.rows) * std::size_t(size.steps); }
  std::size_t units() const { return std::size_t(size.units); }
  std::size_t outputs() const { return (size.sequences ? cells() : std::size_t(size.rows)) * units(); }
};

/// What a recurrence is given.
struct Given {
  explicit Given(const Sequence& s)
      : recurrent(random_values(s.units() * 4 * s.units(), 1, -0.3, 0.3)),
        bias(s.bias ? random_values(4 * s.units(), 2, -0.5, 0.5) : std::vector<float>{}),
        xw(random_values(s.cells() * 4 * s.units(), 3, -2, 2)),
        dy(random_values(s.outputs(), 4, -1, 1)) {}
  std::vector<float> recurrent, bias, xw, dy;
};

/// All arrays in doubles, in the layout of the header.
struct Reference {
  std::vector<double> gates, cell, before, y, dz;
  Reference(const Sequence& s, const Given& in)
      : gates(s.cells() * 4 * s.units()),
        cell(s.cells() * s.units()),
        before(cell.size()),
        y(s.outputs()),
        dz(gates.size()) {
    const auto u = s.units(), steps = std::size_t(s.size.steps);
    const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
    for (std::size_t row = 0; row < std::size_t(s.size.rows); ++row) {
      const auto at = [&](std::size_t step) {
        return row * steps + (s.size.backwards ? steps - 1 - step : step);
      };
      const auto out = [&](std::size_t step) { return (s.size.sequences ? row * steps + step : row) * u; };
      std::vector<double> h(u), c(u);
      for (std::size_t step = 0; step < steps; ++step) {
        const auto p = at(step);
        std::vector<double> z(4 * u);
        for (std::size_t k = 0; k < 4 * u; ++k) {
          z[k] = double(in.xw[p * 4 * u + k]) + (s.bias ? double(in.bias[k]) : 0);
          for (std::size_t j = 0; j < u; ++j) z[k] += h[j] * double(in.recurrent[j * 4 * u + k]);
        }
        for (std::size_t j = 0; j < u; ++j) before[p * u + j] = h[j];
        for (std::size_t j = 0; j < u; ++j) {
          double* g = &gates[p * 4 * u + j];
          g[0] = sigmoid(z[j]), g[u] = sigmoid(z[u + j]), g[2 * u] = std::tanh(z[2 * u + j]),
          g[3 * u] = sigmoid(z[3 * u + j]);
          c[j] = g[u] * c[j] + g[0] * g[2 * u], h[j] = g[3 * u] * std::tanh(c[j]);
          cell[p * u + j] = c[j];
          if (s.size.sequences || step + 1 == steps) y[out(step) + j] = h[j];
        }
      }
      std::vector<double> dh(u), dc(u);
      for (std::size_t step = steps; step-- > 0;) {
        const auto p = at(step);
        double* d = &dz[p * 4 * u];
        for (std::size_t j = 0; j < u; ++j) {
          if (s.size.sequences || step + 1 == steps) dh[j] += double(in.dy[out(step) + j]);
          const double* g = &gates[p * 4 * u + j];
          const double i = g[0], f = g[u], n = g[2 * u], o = g[3 * u], t = std::tanh(cell[p * u + j]);
          dc[j] += dh[j] * o * (1 - t * t);
          d[j] = dc[j] * n * i * (1 - i);
          d[u + j] = step > 0 ? dc[j] * cell[at(step - 1) * u + j] * f * (1 - f) : 0;
          d[2 * u + j] = dc[j] * i * (1 - n * n);
          d[3 * u + j] = dh[j] * t * o * (1 - o);
          dc[j] *= f;
        }
        for (std::size_t j = 0; j < u; ++j) {
          dh[j] = 0;
          for (std::size_t k = 0; k < 4 * u; ++k) dh[j] += d[k] * double(in.recurrent[j * 4 * u + k]);
        }
      }
    }
  }
};

struct Result {
  std::vector<float> gates, cell, before, y, dz, y_alone;
  Result(const Sequence& s, const Given& in) {
    const auto r = to_device(in.recurrent), b = to_device(in.bias), dy = to_device(in.dy);
    const auto z = to_device(in.xw), z2 = to_device(in.xw);
    const DeviceArray<float> c(s.cells() * s.units()), h(c.size()), out(s.outputs()), out2(s.outputs());
    const float* bias = s.bias ? b.data() : nullptr;
    lstm_forward(nullptr, {s.size, r.data(), bias, z2.data(), nullptr, nullptr, out2.data()});
    EXPECT_EQ(from_device(z2), in.xw) << "inference changed x W";
    lstm_forward(nullptr, {s.size, r.data(), bias, z.data(), c.data(), h.data(), out.data()});
    gates = from_device(z), cell = from_device(c), before = from_device(h), y = from_device(out),
    y_alone = from_device(out2);
    lstm_backward(nullptr, {s.size, r.data(), z.data(), c.data(), dy.data()});
    dz = from_device(z);
  }
};

KernelCase recurrence_case(const Sequence& s) {
  return {std::to_string(s.size.rows) + " rows, " + std::to_string(s.size.steps) + " steps, " +
              std::to_string(s.size.units) + " units",
          [=] {
            const Given in(s);
            const Reference expected(s, in);
            const Result got(s, in);
            const auto allowed = [](double) { return 2e-6; };
            return std::max({worst_error(got.gates, expected.gates, allowed),
                             worst_error(got.cell, expected.cell, allowed),
                             worst_error(got.before, expected.before, allowed),
                             worst_error(got.y, expected.y, allowed), got.y_alone == got.y ? 0.0 : 2.0,
                             worst_error(got.dz, expected.dz, [](double) { return 1e-5; })});
          }};
}

// Small: rows, steps, units, backwards, sequences.
const Sequence small{{3, 4, 5, false, true}}, half{{2, 3, 64, true, false}, false},
    uneven{{1, 3, 65, true, true}}, whole{{2, 3, 128, false, false}}, one{{1, 1, 1, false, true}},
    pairs{{129, 2, 100, true, true}};

TEST(LstmKernels, AgreeWithReferencesInDoubleInEveryOrderOfThreads) {
  for (const auto& s : {small, half, uneven, whole, one, pairs})
    for (const auto order : every_order) {
      if (s.size.rows > 100 && order != simt::Order::shuffled) continue;
      const Running running(order);
      const auto c = recurrence_case(s);
      EXPECT_LE(c.run(), 1.0) << c.name << ", " << name_of(order);
    }
}

TEST(LstmKernels, AreWrongWithoutAnyOneOfTheirBarriers) {
  expect_every_barrier_is_needed({recurrence_case(small), recurrence_case(whole)}, 2);
}

TEST(LstmKernels, ARowsBytesDoNotDependOnTheRowsBesideIt) {
  const Sequence many{{130, 3, 70, false, true}};
  const Given in(many);
  const Result all(many, in);
  const auto first_rows = [](const std::vector<float>& v, std::size_t n) {
    return std::vector<float>(v.begin(), v.begin() + std::ptrdiff_t(n));
  };
  for (const std::int32_t rows : {1, 129}) {  // blocks of one row, and of two with one missing
    const Sequence few{{rows, 3, 70, false, true}};
    Given part = in;
    part.xw.resize(few.cells() * 4 * few.units()), part.dy.resize(few.outputs());
    const Result got(few, part);
    EXPECT_EQ(got.y, first_rows(all.y, got.y.size()));
    EXPECT_EQ(got.dz, first_rows(all.dz, got.dz.size()));
  }
  const device::Environment single("TIMBRE_LSTM_SINGLE_ROWS", "130");
  const Result in_blocks_of_one(many, in);
  EXPECT_EQ(in_blocks_of_one.y, all.y);
  EXPECT_EQ(in_blocks_of_one.dz, all.dz);
}

}  // namespace
}  // namespace timbre::cuda
