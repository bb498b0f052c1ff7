#include "host/recurrent.hpp"

#include <cmath>
#include <vector>

namespace simt {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

double Sequence::from_x(const float* weights, const float* x, int gate, int unit) const {
  const Space s = space();
  double sum = weights[s.bias_1(gate) + unit];
  for (int i = 0; i < inputs; ++i)
    sum += double(weights[s.kernel(gate) + std::int64_t(unit) * inputs + i]) * x[i];
  return sum;
}
double Sequence::from_h(const float* weights, const float* h, int gate, int unit) const {
  const Space s = space();
  double sum = weights[s.bias_2(gate) + unit];
  for (int i = 0; h && i < units; ++i)
    sum += double(weights[s.recurrent(gate) + std::int64_t(unit) * units + i]) * h[i];
  return sum;
}

void Sequence::forward(const float* weights, const float* x, float* y, float* reserve) const {
  for (int t = 0; t < steps; ++t)
    for (int r = 0; r < rows; ++r) {
      const std::int64_t cell = std::int64_t(t) * rows + r;
      const float* h = t > 0 ? y + (cell - rows) * units : nullptr;
      const float* before = t > 0 ? kept(reserve, t - 1, r) : nullptr;
      float* z = kept(reserve, t, r);
      for (int u = 0; u < units; ++u) {
        const auto sum = [&](int g) {
          return from_x(weights, x + cell * inputs, g, u) + from_h(weights, h, g, u);
        };
        float& out = y[cell * units + u];
        if (lstm()) {
          for (int g = 0; g < 4; ++g) z[g * units + u] = float(g == 2 ? std::tanh(sum(g)) : sigmoid(sum(g)));
          const double c = before ? before[4 * units + u] : 0;
          z[4 * units + u] = float(double(z[units + u]) * c + double(z[u]) * z[2 * units + u]);
          out = float(z[3 * units + u] * std::tanh(double(z[4 * units + u])));
        } else {
          const double reset = sigmoid(sum(0)), update = sigmoid(sum(1)), inner = from_h(weights, h, 2, u);
          const double n = std::tanh(from_x(weights, x + cell * inputs, 2, u) + reset * inner);
          const double last = h ? h[u] : 0;
          z[u] = float(reset), z[units + u] = float(update), z[2 * units + u] = float(n);
          z[3 * units + u] = float(inner), z[4 * units + u] = float(last);
          out = float((1 - update) * n + update * last);
        }
      }
    }
}

double Sequence::recurrent_gradient(const float* z, int gate, int unit) const {
  return z[(!lstm() && gate == 2 ? 3 : gate) * units + unit];
}

void Sequence::backward_data(const float* weights, const float* dy, float* dx, float* reserve) const {
  const Space s = space();
  for (int r = 0; r < rows; ++r) {
    // of h through R and, of a GRU, beside it; of an LSTM's c
    std::vector<double> dh(std::size_t(units), 0.0), dc(std::size_t(units), 0.0);
    for (int t = steps - 1; t >= 0; --t) {
      const std::int64_t cell = std::int64_t(t) * rows + r;
      float* z = kept(reserve, t, r);
      for (int u = 0; u < units; ++u) {
        const auto k = std::size_t(u);
        const double d = dh[k] + dy[cell * units + u];
        const double a = z[u], b = z[units + u], c = z[2 * units + u], e = z[3 * units + u],
                     f = z[4 * units + u];
        if (lstm()) {
          const double tanh_c = std::tanh(f), before = t > 0 ? kept(reserve, t - 1, r)[4 * units + u] : 0;
          const double of_c = dc[k] + d * e * (1 - tanh_c * tanh_c);
          z[u] = float(of_c * c * a * (1 - a)), z[units + u] = float(of_c * before * b * (1 - b));
          z[2 * units + u] = float(of_c * a * (1 - c * c)),
                        z[3 * units + u] = float(d * tanh_c * e * (1 - e));
          dc[k] = of_c * b;
          dh[k] = 0;
        } else {
          const double of_n = d * (1 - b) * (1 - c * c);
          z[u] = float(of_n * e * a * (1 - a)), z[units + u] = float(d * (f - c) * b * (1 - b));
          z[2 * units + u] = float(of_n), z[3 * units + u] = float(of_n * a);
          dh[k] = d * b;
        }
      }
      for (int k = 0; k < units; ++k)
        for (int g = 0; g < gates; ++g)
          for (int u = 0; u < units; ++u)
            dh[std::size_t(k)] +=
                recurrent_gradient(z, g, u) * weights[s.recurrent(g) + std::int64_t(u) * units + k];
      for (int k = 0; k < inputs; ++k) {
        double sum = 0;
        for (int g = 0; g < gates; ++g)
          for (int u = 0; u < units; ++u)
            sum += double(z[g * units + u]) * weights[s.kernel(g) + std::int64_t(u) * inputs + k];
        dx[cell * inputs + k] = float(sum);
      }
    }
  }
}

void Sequence::backward_weights(const float* x, const float* y, float* gradients, float* reserve) const {
  const Space s = space();
  for (int g = 0; g < gates; ++g)
    for (int u = 0; u < units; ++u) {
      double bias_1 = 0, bias_2 = 0;
      std::vector<double> w(std::size_t(inputs), 0.0), r_(std::size_t(units), 0.0);
      for (int t = 0; t < steps; ++t)
        for (int r = 0; r < rows; ++r) {
          const std::int64_t cell = std::int64_t(t) * rows + r;
          const float* z = kept(reserve, t, r);
          const double dx = z[g * units + u], dh = recurrent_gradient(z, g, u);
          bias_1 += dx, bias_2 += dh;
          for (int i = 0; i < inputs; ++i) w[std::size_t(i)] += dx * x[cell * inputs + i];
          for (int i = 0; t > 0 && i < units; ++i) r_[std::size_t(i)] += dh * y[(cell - rows) * units + i];
        }
      gradients[s.bias_1(g) + u] += float(bias_1), gradients[s.bias_2(g) + u] += float(bias_2);
      for (int i = 0; i < inputs; ++i)
        gradients[s.kernel(g) + std::int64_t(u) * inputs + i] += float(w[std::size_t(i)]);
      for (int i = 0; i < units; ++i)
        gradients[s.recurrent(g) + std::int64_t(u) * units + i] += float(r_[std::size_t(i)]);
    }
}

}  // namespace simt
