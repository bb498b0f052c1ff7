// The layers' kernels on the SIMT host: each against a reference in double, with odd sizes and tails, in
// every order of threads; each barrier of each, taken out, must show; and the dropout masks against the CPU's
// layer, bit for bit.
#include <gtest/gtest.h>

#include "cuda/layers/activation.hpp"
#include "cuda/layers/batch_normalization.cu"
#include "cuda/layers/conv2d_layout.cuh"
#include "cuda/layers/dropout_own.cuh"
#include "cuda/layers/max_pooling2d.cu"
#include "cuda/layers/rnn_layout.cuh"
#include "cuda/layers/window_columns.cuh"
#include "kernel_harness.hpp"
#include "nn/layer_harness.hpp"

namespace timbre::cuda {
namespace {

using nn::Activation;

double value_of(Activation a, double x) {
  switch (a) {
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
    case Activation::elu:
      return x > 0 ? x : std::expm1(x);
    case Activation::leaky_relu:
      return x > 0 ? x : 0.2 * x;
    case Activation::selu:
      return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x));
    default:
      return x;
  }
}
double slope_of(Activation a, double x) {
  switch (a) {
    case Activation::relu:
      return x > 0;
    case Activation::sigmoid:
      return value_of(a, x) * (1 - value_of(a, x));
    case Activation::tanh:
      return 1 - std::tanh(x) * std::tanh(x);
    case Activation::elu:
      return x > 0 ? 1 : std::exp(x);
    case Activation::leaky_relu:
      return x > 0 ? 1 : 0.2;
    case Activation::selu:
      return 1.0507009873554805 * (x > 0 ? 1 : 1.6732632423543772 * std::exp(x));
    default:
      return 1;
  }
}

/// y and to = slope of what came, by rows.
void activation_reference(Activation a, const std::vector<float>& z, const std::vector<float>& bias,
                          const std::vector<float>& dy, std::int64_t rows, std::int64_t columns,
                          std::vector<double>& y, std::vector<double>& dz) {
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<double> x, p;
    for (std::int64_t c = 0; c < columns; ++c)
      x.push_back(double(z[std::size_t(r * columns + c)]) +
                  (bias.empty() ? 0 : double(bias[std::size_t(c)])));
    double sum = 0, product = 0;
    for (const double v : x) sum += std::exp(v);
    for (std::int64_t c = 0; c < columns; ++c) {
      const double v = x[std::size_t(c)], g = dy[std::size_t(r * columns + c)];
      p.push_back(a == Activation::softmax ? std::exp(v) / sum : value_of(a, v));
      product += p.back() * g;
      if (a != Activation::softmax) dz.push_back(g * slope_of(a, v));
    }
    for (std::int64_t c = 0; a == Activation::softmax && c < columns; ++c)
      dz.push_back(p[std::size_t(c)] * (dy[std::size_t(r * columns + c)] - product));
    y.insert(y.end(), p.begin(), p.end());
  }
}

KernelCase activation_case(Activation a, std::int64_t rows, std::int64_t columns, bool with_bias) {
  return {"activation " + nn::name_of(a) + " " + std::to_string(rows) + " x " + std::to_string(columns), [=] {
            const auto z = random_values(std::size_t(rows * columns), 1, -4, 4),
                       dy = random_values(z.size(), 2, -1, 1);
            const auto bias = random_values(with_bias ? std::size_t(columns) : 0, 3, -1, 1);
            const auto y = to_device(z), g = to_device(dy), b = to_device(bias);
            bias_activation(nullptr, a, b.data(), y.data(), rows, columns);
            const DeviceArray<float> dz(z.size());
            activation_slope(nullptr, a, y.data(), g.data(), dz.data(), rows, columns);
            activation_slope(nullptr, a, y.data(), g.data(), g.data(), rows, columns);
            // In place with the bias's gradient; and without.
            const auto g2 = to_device(dy), g3 = to_device(dy);
            const DeviceArray<float> work(std::size_t(column_sums_work(rows, columns))),
                db((std::size_t(columns))), sums((std::size_t(columns)));
            activation_backward(nullptr, a, y.data(), g2.data(), rows, columns, work.data(), db.data());
            activation_backward(nullptr, a, y.data(), g3.data(), rows, columns, nullptr, nullptr);
            column_sums(nullptr, g.data(), rows, columns, work.data(), sums.data());
            std::vector<double> ey, edz;
            activation_reference(a, z, bias, dy, rows, columns, ey, edz);
            const auto allowed = [](double) { return 1e-6; };
            return std::max(
                {worst_error(from_device(y), ey, allowed), worst_error(from_device(dz), edz, allowed),
                 from_device(dz) == from_device(g) ? 0.0 : 2.0, from_device(g2) == from_device(g) ? 0.0 : 2.0,
                 from_device(g3) == from_device(g) ? 0.0 : 2.0,
                 from_device(db) == from_device(sums) ? 0.0 : 2.0});
          }};
}

KernelCase column_sums_case(std::int64_t rows, std::int64_t columns) {
  return {"column sums " + std::to_string(rows) + " x " + std::to_string(columns), [=] {
            const auto a = random_values(std::size_t(rows * columns), 1, -1, 1);
            const auto d = to_device(a);
            const DeviceArray<float> work(std::size_t(column_sums_work(rows, columns))),
                total((std::size_t(columns)));
            column_sums(nullptr, d.data(), rows, columns, work.data(), total.data());
            std::vector<double> expected(std::size_t(columns), 0);
            for (std::size_t i = 0; i < a.size(); ++i) expected[i % std::size_t(columns)] += a[i];
            return worst_error(from_device(total), expected,
                               [&](double) { return 1e-6 * std::sqrt(double(rows)); });
          }};
}

struct BatchNorm {
  std::int64_t rows, live, inner, channels;
  bool scale = true, center = true;
};
KernelCase batch_norm_case(BatchNorm s) {
  return {"batch norm " + std::to_string(s.rows) + " x " + std::to_string(s.inner) + " x " +
              std::to_string(s.channels),
          [=] {
            const auto n = std::size_t(s.rows * s.inner * s.channels), channels = std::size_t(s.channels);
            const auto x = random_values(n, 1, 3, 5), dy = random_values(n, 2, -1, 1);
            const auto gamma = random_values(channels, 3, 0.5, 2), beta = random_values(channels, 4, -1, 1);
            const auto mm = random_values(channels, 5, -1, 1), mv = random_values(channels, 6, 0.5, 2);
            const auto dx = to_device(x), ddy = to_device(dy), dg = to_device(gamma), db = to_device(beta),
                       dmm = to_device(mm), dmv = to_device(mv);
            const auto live = to_device(std::vector<std::int32_t>{std::int32_t(s.live)});
            const DeviceArray<float> y(n), y_moving(n), back(n), g_gamma(channels), g_beta(channels),
                f(7 * channels);
            const DeviceArray<double> d(2 * channels),
                partial(std::size_t(normalisation_work(s.rows, s.inner, s.channels)));
            NormalisationArrays a{s.scale ? dg.data() : nullptr,
                                  s.center ? db.data() : nullptr,
                                  dmm.data(),
                                  dmv.data(),
                                  0.9,
                                  1e-3,
                                  d.data(),
                                  d.data() + channels};
            for (float** p : {&a.mean, &a.factor, &a.offset, &a.mean_dy, &a.factor_dy, &a.slope, &a.rest})
              *p = f.data() + (p - &a.mean) * s.channels;
            const NormalisationBatch batch{s.rows, s.inner, s.channels, live.data(), partial.data()};
            normalise(nullptr, a, batch, false, dx.data(), y_moving.data());
            normalise(nullptr, a, batch, true, dx.data(), y.data());
            normalise_backward(nullptr, a, batch, dx.data(), ddy.data(), back.data(), g_gamma.data(),
                               g_beta.data());
            std::vector<double> ey(n), eym(n), edx(n), eg, eb, emm, emv;
            const auto count = std::size_t(s.live * s.inner);
            for (std::size_t c = 0; c < channels; ++c) {
              const auto at = [&](std::size_t i) { return i * channels + c; };
              const double g = s.scale ? double(gamma[c]) : 1, b = s.center ? double(beta[c]) : 0;
              double mean = 0, variance = 0, sum = 0, product = 0;
              for (std::size_t i = 0; i < count; ++i) mean += x[at(i)] / double(count);
              for (std::size_t i = 0; i < count; ++i)
                variance += std::pow(x[at(i)] - mean, 2) / double(count);
              const double deviation = std::sqrt(variance + 1e-3);
              for (std::size_t i = 0; i < count; ++i)
                sum += dy[at(i)], product += dy[at(i)] * (x[at(i)] - mean) / deviation;
              for (std::size_t i = 0; i < n / channels; ++i) {
                const double hat = (x[at(i)] - mean) / deviation;
                ey[at(i)] = g * hat + b;
                eym[at(i)] = g * (x[at(i)] - mm[c]) / std::sqrt(mv[c] + 1e-3) + b;
                edx[at(i)] = i < count ? g / deviation *
                                             (dy[at(i)] - sum / double(count) - hat * product / double(count))
                                       : 0;
              }
              eg.push_back(product), eb.push_back(sum);
              emm.push_back(0.9 * mm[c] + 0.1 * mean), emv.push_back(0.9 * mv[c] + 0.1 * variance);
            }
            const auto allowed = [](double e) { return 1e-5 + 1e-6 * std::abs(e); };
            return std::max(
                {worst_error(from_device(y), ey, allowed), worst_error(from_device(y_moving), eym, allowed),
                 worst_error(from_device(back), edx, allowed), worst_error(from_device(g_gamma), eg, allowed),
                 worst_error(from_device(g_beta), eb, allowed), worst_error(from_device(dmm), emm, allowed),
                 worst_error(from_device(dmv), emv, allowed)});
          }};
}

/// Calls f(output place, place in the window, input place or -1) for one picture and channel 0.
template <class F>
void for_windows(const WindowGrid& g, F&& f) {
  for (int oh = 0; oh < g.h.out; ++oh)
    for (int ow = 0; ow < g.w.out; ++ow)
      for (int a = 0; a < g.h.kernel; ++a)
        for (int b = 0; b < g.w.kernel; ++b) {
          const int ih = oh * g.h.stride - g.h.before + a, iw = ow * g.w.stride - g.w.before + b;
          const bool in = ih >= 0 && iw >= 0 && ih < g.h.in && iw < g.w.in;
          f(std::int64_t(oh * g.w.out + ow), std::int64_t(a * g.w.kernel + b),
            in ? std::int64_t(ih * g.w.in + iw) : -1);
        }
}

KernelCase window_case(Shape input, nn::Extent2D kernel, nn::Extent2D stride, std::string padding) {
  return {"windows " + kernel.str() + " by " + stride.str() + " " + padding + " on " + input.str(), [=] {
            const auto g = window_grid(nn::window_over(input, kernel, stride, padding, "kernel"));
            const std::int64_t pictures = 2, ch = g.channels, k = g.window_size();
            // Few different values, so that there are equal ones in a window.
            auto x = random_values(std::size_t(pictures * g.input_size()), 1, -3, 3);
            for (auto& v : x) v = std::round(v);
            const auto dy = random_values(std::size_t(pictures * g.output_size()), 2, -1, 1);
            const auto columns = random_values(std::size_t(pictures * g.places() * k), 3, -1, 1);
            const auto dx = to_device(x), ddy = to_device(dy), dc = to_device(columns);
            const DeviceArray<float> y(dy.size()), back(x.size()), made(columns.size()), spread(x.size());
            const DeviceArray<std::uint16_t> place(dy.size());
            pool_forward(nullptr, g, pictures, dx.data(), y.data(), place.data());
            pool_backward(nullptr, g, pictures, ddy.data(), place.data(), back.data());
            windows_to_columns(nullptr, g, pictures, dx.data(), made.data());
            columns_to_windows(nullptr, g, pictures, dc.data(), spread.data());
            std::vector<double> ey(dy.size(), -INFINITY), eback(x.size()), emade(columns.size()),
                espread(x.size());
            for (std::int64_t p = 0; p < pictures; ++p)
              for (std::int64_t c = 0; c < ch; ++c) {
                std::vector<std::int64_t> winner(std::size_t(g.places()), -1);
                for_windows(g, [&](std::int64_t out, std::int64_t in_window, std::int64_t in) {
                  const auto column = std::size_t((p * g.places() + out) * k + in_window * ch + c);
                  const auto from = std::size_t(p * g.input_size() + in * ch + c),
                             to = std::size_t(p * g.output_size() + out * ch + c);
                  if (in < 0) return;
                  emade[column] = x[from];
                  espread[from] += columns[column];
                  if (x[from] > ey[to]) ey[to] = x[from], winner[std::size_t(out)] = std::int64_t(from);
                });
                for (std::int64_t out = 0; out < g.places(); ++out)
                  eback[std::size_t(winner[std::size_t(out)])] +=
                      dy[std::size_t(p * g.output_size() + out * ch + c)];
              }
            const auto exact = [](double) { return 1e-30; };
            const auto summed = [](double) { return 1e-6; };
            return std::max({worst_error(from_device(y), ey, exact),
                             worst_error(from_device(back), eback, summed),
                             worst_error(from_device(made), emade, exact),
                             worst_error(from_device(spread), espread, summed)});
          }};
}

/// Pictures with their padding, and their gradients without it again; and a transpose.
KernelCase padding_case(Shape input, nn::Extent2D kernel, nn::Extent2D stride, std::string padding) {
  return {"padding for " + kernel.str() + " by " + stride.str() + " " + padding + " on " + input.str(), [=] {
            const auto g = window_grid(nn::window_over(input, kernel, stride, padding, "kernel"));
            const std::int64_t pictures = 2, ch = g.channels, height = g.h.padded,
                               width = std::int64_t{g.w.padded};
            const auto x = random_values(std::size_t(pictures * g.input_size()), 1, -3, 3),
                       whole = random_values(std::size_t(pictures * padded_size(g)), 2, -3, 3);
            std::vector<double> padded(whole.size(), 0), cropped(x.size(), 0), turned(x.size());
            for (std::int64_t p = 0; p < pictures; ++p)
              for (std::int64_t h = 0; h < height; ++h)
                for (std::int64_t w = 0; w < width; ++w)
                  for (std::int64_t c = 0; c < ch; ++c) {
                    const auto ih = h - g.h.before, iw = w - g.w.before;
                    if (ih < 0 || ih >= g.h.in || iw < 0 || iw >= g.w.in) continue;
                    const auto at = std::size_t(((p * height + h) * width + w) * ch + c),
                               in = std::size_t(p * g.input_size() + (ih * g.w.in + iw) * ch + c);
                    padded[at] = x[in], cropped[in] = whole[at];
                  }
            const std::int64_t columns = g.input_size();
            for (std::int64_t r = 0; r < pictures; ++r)
              for (std::int64_t c = 0; c < columns; ++c)
                turned[std::size_t(c * pictures + r)] = x[std::size_t(r * columns + c)];
            const auto dx = to_device(x), dwhole = to_device(whole);
            const DeviceArray<float> made(whole.size()), back(x.size()), transposed(x.size());
            pad_pictures(nullptr, g, pictures, dx.data(), made.data());
            crop_pictures(nullptr, g, pictures, dwhole.data(), back.data());
            transpose(nullptr, dx.data(), transposed.data(), pictures, columns);
            const auto exact = [](double) { return 1e-30; };
            return std::max({worst_error(from_device(made), padded, exact),
                             worst_error(from_device(back), cropped, exact),
                             worst_error(from_device(transposed), turned, exact)});
          }};
}

KernelCase rnn_layout_case(std::int64_t inputs, std::int64_t units, int cell_gates, int biases) {
  return {
      "weights of " + std::to_string(cell_gates) + " gates, " + std::to_string(inputs) + " to " +
          std::to_string(units),
      [=] {
        const auto gates = std::size_t(cell_gates * units);
        const auto w = random_values(std::size_t(inputs) * gates, 1, -1, 1),
                   r = random_values(std::size_t(units) * gates, 2, -1, 1);
        const auto b = random_values(std::size_t(biases) * gates, 3, -1, 1);
        // Matrices in any order, with gaps between them.
        RnnPlaces places{};
        std::int64_t at = 5;
        for (int gate = cell_gates - 1; gate >= 0; --gate) {
          places.kernel[gate] = at, at += inputs * units + 3;
          places.bias[gate] = at, at += units + 1;
          places.recurrent_bias[gate] = at, at += units + 4;
          places.recurrent[gate] = at, at += units * units + 2;
        }
        const auto dw = to_device(w), dr = to_device(r), db = to_device(b);
        const auto space = to_device(std::vector<float>(std::size_t(at), 0.0f));
        to_weight_space(nullptr, places, {dw.data(), dr.data(), db.data(), inputs, units, cell_gates, biases},
                        space.data());
        std::vector<double> expected(std::size_t(at), 0);
        for (std::int64_t gate = 0; gate < cell_gates; ++gate)
          for (std::int64_t u = 0; u < units; ++u) {
            const auto column = std::size_t(gate * units + u);
            for (std::int64_t i = 0; i < inputs; ++i)
              expected[std::size_t(places.kernel[gate] + u * inputs + i)] =
                  w[std::size_t(i) * gates + column];
            for (std::int64_t i = 0; i < units; ++i)
              expected[std::size_t(places.recurrent[gate] + u * units + i)] =
                  r[std::size_t(i) * gates + column];
            if (biases > 0) expected[std::size_t(places.bias[gate] + u)] = b[column];
            if (biases > 1) expected[std::size_t(places.recurrent_bias[gate] + u)] = b[gates + column];
          }
        const DeviceArray<float> w2(w.size()), r2(r.size()), b2(b.size());
        from_weight_space(nullptr, places,
                          {w2.data(), r2.data(), b2.data(), inputs, units, cell_gates, biases}, space.data());
        const bool back = from_device(w2) == w && from_device(r2) == r && from_device(b2) == b;
        return std::max(back ? 0.0 : 2.0,
                        worst_error(from_device(space), expected, [](double) { return 1e-30; }));
      }};
}

KernelCase time_major_case(std::int64_t rows, std::int64_t steps, std::int64_t size, bool reversed) {
  return {"time-major " + std::to_string(rows) + " x " + std::to_string(steps), [=] {
            const auto x = random_values(std::size_t(rows * steps * size), 1, -1, 1),
                       last = random_values(std::size_t(rows * size), 2, -1, 1);
            const auto dx = to_device(x), dl = to_device(last);
            const DeviceArray<float> t(x.size()), back(x.size()), all(x.size());
            to_time_major(nullptr, dx.data(), t.data(), rows, steps, size, reversed);
            from_time_major(nullptr, t.data(), back.data(), rows, steps, size, reversed);
            last_step_only(nullptr, dl.data(), all.data(), rows, steps, size);
            std::vector<double> expected, only(x.size());
            for (std::int64_t s = 0; s < steps; ++s)
              for (std::int64_t r = 0; r < rows; ++r)
                for (std::int64_t v = 0; v < size; ++v)
                  expected.push_back(x[std::size_t((r * steps + (reversed ? steps - 1 - s : s)) * size + v)]);
            std::copy(last.begin(), last.end(), only.end() - std::ssize(last));
            const auto exact = [](double) { return 1e-30; };
            return std::max({worst_error(from_device(t), expected, exact),
                             worst_error(from_device(all), only, exact), from_device(back) == x ? 0.0 : 2.0});
          }};
}

std::vector<KernelCase> layer_kernels() {
  std::vector<KernelCase> cases{column_sums_case(1, 1),
                                column_sums_case(31, 33),
                                column_sums_case(130, 5),
                                column_sums_case(8300, 3),
                                batch_norm_case({5, 5, 7, 3}),
                                batch_norm_case({6, 4, 31, 33}),
                                batch_norm_case({40, 33, 1, 7, false, true}),
                                batch_norm_case({3, 1, 50, 2, true, false}),
                                window_case({7, 5, 3}, {3, 3}, {2, 2}, "same"),
                                window_case({8, 6, 2}, {2, 3}, {2, 1}, "same"),
                                window_case({9, 7, 1}, {3, 2}, {2, 3}, "valid"),
                                window_case({5, 4, 2}, {1, 1}, {2, 2}, "valid"),
                                window_case({3, 3, 4}, {5, 4}, {1, 1}, "same"),
                                padding_case({7, 5, 3}, {2, 2}, {1, 1}, "same"),
                                padding_case({8, 6, 2}, {3, 4}, {2, 3}, "same"),
                                padding_case({9, 7, 1}, {3, 2}, {2, 3}, "valid"),
                                padding_case({3, 3, 4}, {5, 4}, {1, 1}, "same"),
                                padding_case({9, 8, 2}, {2, 1}, {1, 2}, "same"),
                                rnn_layout_case(3, 5, 4, 1),
                                rnn_layout_case(7, 2, 4, 0),
                                rnn_layout_case(5, 5, 4, 1),
                                rnn_layout_case(3, 5, 3, 2),
                                rnn_layout_case(1, 2, 3, 0),
                                time_major_case(3, 4, 5, false),
                                time_major_case(2, 7, 3, true),
                                time_major_case(1, 1, 1, true)};
  for (const auto& name : nn::activation_names())
    for (const bool bias : {false, true}) {
      cases.push_back(activation_case(nn::activation_of(name), bias ? 37 : 500, 10, bias));
      cases.push_back(activation_case(nn::activation_of(name), 3, 70, bias));
    }
  return cases;
}

TEST(LayerKernels, AgreeWithReferencesInDoubleInEveryOrderOfThreads) {
  for (const auto& c : layer_kernels())
    for (const auto order : every_order) {
      const Running running(order);
      EXPECT_LE(c.run(), 1.0) << c.name << ", " << name_of(order);
    }
}

TEST(LayerKernels, AreWrongWithoutAnyOneOfTheirBarriers) {
  expect_every_barrier_is_needed({column_sums_case(31, 33), batch_norm_case({5, 5, 7, 3}),
                                  activation_case(Activation::softmax, 5, 40, true)},
                                 1);
}

TEST(LayerKernels, SumsAreTheSameBytesInEveryOrderOfThreads) {
  std::vector<std::vector<float>> results;
  for (const auto order : every_order) {
    const Running running(order);
    const auto a = to_device(random_values(999 * 41, 1, -1, 1));
    const DeviceArray<float> work(std::size_t(column_sums_work(999, 41))), total(41);
    column_sums(nullptr, a.data(), 999, 41, work.data(), total.data());
    results.push_back(from_device(total));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(LayerKernels, DropoutDrawsTheCpusMasksBitForBit) {
  for (const double rate : {0.1, 0.3, 0.5, 0.9}) {
    const auto layer = nn::testing::make_layer("dropout: " + std::to_string(rate));
    nn::testing::LayerRun cpu(*layer, {13, 7}, 5, {.index = 3, .seed = 0x123456789abcull});
    for (const std::int64_t step : {std::int64_t{0}, std::int64_t{1}, std::int64_t{70000}}) {
      cpu.forward(true, std::uint32_t(step));
      const auto x = to_device(cpu.x);
      const auto counter = to_device(std::vector<std::int64_t>{step});
      const DeviceArray<float> y(cpu.x.size());
      apply_dropout(nullptr, 0x123456789abcull, 3, rate, counter.data(), x.data(), y.data(),
                    std::int64_t(cpu.x.size()));
      EXPECT_TRUE(nn::testing::same_bytes(from_device(y), cpu.y_rows())) << rate << " " << step;
    }
  }
}

/// Where arrays have more values than 32 bits count, the same functors run with 64 bits; as they do here on
/// small ones.
TEST(LayerKernels, AreTheSameWithWideIndices) {
  const auto g = window_grid(nn::window_over({9, 7, 3}, {3, 2}, {2, 1}, "same", "window"));
  const std::int64_t pictures = 2, inputs = pictures * g.input_size(), outputs = pictures * g.output_size(),
                     window_values = pictures * g.places() * g.window_size();
  const auto same = [&](std::int64_t n, const auto& body_with) {
    const DeviceArray<float> narrow((std::size_t(n))), wide((std::size_t(n)));
    for_each_element(nullptr, n, body_with(narrow.data()));
    for_each_element(nullptr, n, body_with(wide.data()), 0);
    EXPECT_TRUE(nn::testing::same_bytes(from_device(narrow), from_device(wide)));
    EXPECT_TRUE(std::isfinite(from_device(narrow).back()));
  };
  const auto x = to_device(random_values(std::size_t(inputs), 1, -1, 1)),
             columns = to_device(random_values(std::size_t(window_values), 2, -1, 1)),
             dy = to_device(random_values(std::size_t(outputs), 3, -1, 1));
  const DeviceArray<std::uint16_t> place((std::size_t(outputs)));
  same(window_values, [&](float* out) { return WindowsToColumns<float>{g, x.data(), out}; });
  same(inputs, [&](float* out) { return ColumnsToWindows<float>{g, columns.data(), out}; });
  same(pictures * padded_size(g), [&](float* out) { return PadPicture{g, x.data(), out}; });
  same(inputs, [&](float* out) { return CropPicture{g, columns.data(), out}; });
  same(inputs, [&](float* out) { return Transposed{x.data(), out, pictures, g.input_size()}; });
  same(outputs, [&](float* out) { return PoolForward{g, x.data(), out, place.data()}; });
  same(inputs, [&](float* out) { return PoolBackward{g, dy.data(), place.data(), out}; });
  same(inputs, [&](float* out) { return TimeMajor{x.data(), out, pictures, 9, 21, true, true}; });
  same(inputs, [&](float* out) { return LastStepOnly{dy.data(), out, pictures, 9, 21}; });
}

TEST(LayerKernels, DivisorsGiveTheQuotientsOfDivision) {
  PhiloxSequence random(3, 9);
  constexpr std::int64_t most = (std::int64_t{1} << 31) - 1;
  std::vector<std::int64_t> divisors{1,   2,   3,     5,     6,     7,        9,        10,  13,
                                     130, 641, 65535, 65536, 65537, most / 2, most - 1, most};
  for (int i = 0; i < 200; ++i)
    divisors.push_back(1 + std::int64_t(random.uniform(0, std::pow(2.0, 1 + i % 30))));
  for (const auto d : divisors) {
    const Divisor divide(d);
    std::vector<std::int64_t> numbers{
        0, 1, d - 1, d, std::min(d + 1, most), most, most - 1, most / d * d, most / d * d - 1};
    for (int i = 0; i < 200; ++i) numbers.push_back(std::int64_t(random.uniform(0, double(most))));
    for (const auto n : numbers) {
      const auto narrow = divide(std::uint32_t(n));
      const auto wide = divide(std::uint64_t(n));
      EXPECT_TRUE(narrow.quotient == n / d && narrow.remainder == n % d) << n << " / " << d;
      EXPECT_TRUE(std::int64_t(wide.quotient) == n / d && std::int64_t(wide.remainder) == n % d)
          << n << " / " << d;
    }
  }
}

TEST(LayerKernels, PoolingSeesANaNAsTheLargest) {
  const auto g = window_grid(nn::window_over({4, 4, 1}, {2, 2}, {2, 2}, "valid", "pool"));
  std::vector<float> x(16, 1.0f);
  x[5] = NAN;
  const auto dx = to_device(x);
  const DeviceArray<float> y(4);
  const DeviceArray<std::uint16_t> place(4);
  pool_forward(nullptr, g, 1, dx.data(), y.data(), place.data());
  const auto values = from_device(y);
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[1], 1.0f);
  EXPECT_EQ(from_device(place)[0], 3);
}

}  // namespace
}  // namespace timbre::cuda
