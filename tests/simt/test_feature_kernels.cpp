// The feature kernels on the SIMT host: each against a reference in double, with odd sizes and tails, in
// every order of threads; and each barrier of each, taken out, must show.
#include <gtest/gtest.h>

#include <complex>
#include <numbers>

#include "cuda/features/block_stft.hpp"
#include "cuda/features/mel_bands.hpp"
#include "cuda/features/mfcc.cu"
#include "cuda/features/spectrogram.cu"
#include "features/decibel.hpp"
#include "features/mel_filters.hpp"
#include "kernel_harness.hpp"

namespace timbre::cuda {
namespace {

/// numpy.pad, one sample at a time.
double padded(const std::vector<float>& x, std::int64_t begin, std::int64_t n, std::int64_t i, PadMode mode) {
  if (mode == PadMode::constant && (i < 0 || i >= n)) return 0;
  if (mode == PadMode::edge) i = std::clamp<std::int64_t>(i, 0, n - 1);
  while (mode == PadMode::reflect && n > 1 && (i < 0 || i >= n)) i = i < 0 ? -i : 2 * (n - 1) - i;
  if (n == 1) i = 0;
  return double(x[std::size_t(begin + i)]);
}

KernelCase frames_case(std::string name, FrameLayout layout, std::int64_t segments, std::int64_t first,
                       std::int64_t count) {
  return {"frames " + std::move(name), [=] {
            const auto x = random_values(std::size_t(segments * layout.samples), 1, -1, 1);
            const auto window = random_values(std::size_t(layout.size), 2, 0, 1);
            const auto dx = to_device(x), dw = to_device(window);
            const DeviceArray<float> out(std::size_t(count * layout.size));
            window_frames(nullptr, dx.data(), dw.data(), layout, first, count, out.data());
            std::vector<double> expected;
            for (auto g = first; g < first + count; ++g)
              for (std::int64_t n = 0; n < layout.size; ++n)
                expected.push_back(window[std::size_t(n)] *
                                   padded(x, g / layout.frames * layout.samples, layout.samples,
                                          g % layout.frames * layout.hop + n - layout.padding, layout.mode));
            return worst_error(from_device(out), expected, [](double) { return 6e-8; });
          }};
}

std::vector<float2> random_spectrum(std::size_t n) {
  const auto re = random_values(n, 3, -4, 4), im = random_values(n, 4, -4, 4);
  std::vector<float2> z(n);
  for (std::size_t i = 0; i < n; ++i) z[i] = {re[i], im[i]};
  return z;
}

double power(float2 z, double exponent) { return std::pow(std::hypot(double(z.x), double(z.y)), exponent); }

KernelCase power_case(std::size_t size, float exponent) {
  return {"power " + std::to_string(size) + " to " + std::to_string(exponent), [=] {
            const auto z = random_spectrum(size);
            const auto dz = to_device(z);
            const DeviceArray<float> out(size);
            spectrum_power(nullptr, dz.data(), std::int64_t(size), exponent, out.data());
            std::vector<double> expected;
            for (const auto v : z) expected.push_back(power(v, exponent));
            return worst_error(from_device(out), expected, [](double e) { return 1e-6 * e + 1e-12; });
          }};
}

/// Filters on the device, as the engine keeps them.
struct CudaMel {
  explicit CudaMel(const features::MelFilters& filters, int bins) {
    std::vector<std::int32_t> f, g, o;
    std::int32_t at = 0;
    for (const auto& filter : filters.filters())
      f.push_back(filter.first), g.push_back(filter.groups), o.push_back(at), at += 8 * filter.groups;
    first = to_device(f), groups = to_device(g), offset = to_device(o);
    weights = to_device(std::vector<float>(filters.weights().begin(), filters.weights().end()));
    bands = {first.data(), groups.data(), offset.data(), weights.data(), std::int32_t(f.size()), bins};
  }
  DeviceArray<std::int32_t> first, groups, offset;
  DeviceArray<float> weights;
  MelBands bands;
};

KernelCase mel_case(int n_fft, int n_mels, std::int64_t frames, float exponent, int tile = 0) {
  return {
      "mel " + std::to_string(n_fft) + " " + std::to_string(n_mels) + " tile " + std::to_string(tile), [=] {
        features::FeatureOptions o;
        o.n_fft = n_fft, o.n_mels = n_mels;
        const features::MelFilters filters(o);
        const int bins = o.bins();
        const auto z = random_spectrum(std::size_t(frames * bins));
        const auto dz = to_device(z);
        const CudaMel mel(filters, bins);
        const DeviceArray<float> out(std::size_t(frames * n_mels));
        mel_bands(nullptr, dz.data(), frames, mel.bands, exponent, out.data(), tile);
        const auto weights = filters.dense();
        std::vector<double> expected;
        for (std::int64_t t = 0; t < frames; ++t)
          for (int m = 0; m < n_mels; ++m) {
            double sum = 0;
            for (int k = 0; k < bins; ++k)
              sum +=
                  double(weights[std::size_t(m * bins + k)]) * power(z[std::size_t(t * bins + k)], exponent);
            expected.push_back(sum);
          }
        return worst_error(from_device(out), expected, [](double e) { return 1e-6 * e + 1e-9; });
      }};
}

std::vector<float> random_powers(std::size_t n) {
  auto x = random_values(n, 5, -14, 4);
  for (auto& v : x) v = std::pow(10.0f, v);
  return x;
}

KernelCase maxima_case(std::int64_t segments, std::int64_t size) {
  return {"maxima " + std::to_string(segments) + " x " + std::to_string(size), [=] {
            auto x = random_powers(std::size_t(segments * size));
            for (std::int64_t i = 0; i < size; ++i) x[std::size_t(i)] = 0;  // a silent segment
            const auto dx = to_device(x);
            const auto maxima = to_device(std::vector<float>(std::size_t(segments), 0.0f));
            segment_maxima(nullptr, dx.data(), segments, size, maxima.data());
            std::vector<double> expected;
            for (auto p = x.begin(); p < x.end(); p += size)
              expected.push_back(
                  std::max(double(features::smallest_power), double(*std::max_element(p, p + size))));
            return worst_error(from_device(maxima), expected, [](double) { return 1e-30; });
          }};
}

KernelCase decibels_case(std::int64_t segments, std::int64_t size, bool floor) {
  return {std::string("decibels ") + (floor ? "above a floor" : "without a floor"), [=] {
            const auto x = random_powers(std::size_t(segments * size));
            const auto dx = to_device(x);
            const auto maxima = random_powers(std::size_t(segments));
            const auto dm = to_device(maxima);
            to_decibels(nullptr, dx.data(), segments, size, floor ? dm.data() : nullptr, 37.5);
            std::vector<double> expected;
            for (std::size_t i = 0; i < x.size(); ++i) {
              const double y = 10 * std::log10(std::max(1e-10, double(x[i])));
              const double m = 10 * std::log10(double(maxima[i / std::size_t(size)])) - 37.5;
              expected.push_back(floor ? std::max(y, m) : y);
            }
            return worst_error(from_device(dx), expected, [](double) { return 4e-5; });
          }};
}

KernelCase cepstrum_case(std::int64_t frames, int bands, int coefficients) {
  return {"cepstrum " + std::to_string(frames) + " x " + std::to_string(bands) + " to " +
              std::to_string(coefficients),
          [=] {
            const auto d = random_values(std::size_t(frames * bands), 6, -80, 20);
            std::vector<float> cosines;
            const auto cosine = [&](int m, int j) {
              return std::sqrt(2.0 / bands) * std::cos(std::numbers::pi * j * (2 * m + 1) / (2.0 * bands));
            };
            for (int m = 0; m < bands; ++m)
              for (int j = 1; j < coefficients; ++j) cosines.push_back(float(cosine(m, j)));
            const auto dd = to_device(d), dc = to_device(cosines);
            const DeviceArray<float> out(std::size_t(frames * coefficients));
            cepstrum(nullptr, dd.data(), dc.data(), frames, bands, coefficients, out.data());
            std::vector<double> expected;
            for (std::int64_t t = 0; t < frames; ++t)
              for (int j = 0; j < coefficients; ++j) {
                double sum = 0;
                for (int m = 0; m < bands; ++m)
                  sum += d[std::size_t(t * bands + m)] * (j == 0 ? std::sqrt(1.0 / bands) : cosine(m, j));
                expected.push_back(sum);
              }
            return worst_error(from_device(out), expected, [](double) { return 1e-4; });
          }};
}

std::vector<KernelCase> feature_kernels() {
  return {frames_case("padded by zeros", {1000, 5, 300, 250, 150, PadMode::constant}, 3, 0, 15),
          frames_case("mirrored", {1000, 5, 300, 250, 150, PadMode::reflect}, 3, 0, 15),
          frames_case("mirrored again and again", {7, 4, 300, 2, 150, PadMode::reflect}, 2, 0, 8),
          frames_case("of one sample", {1, 1, 9, 2, 4, PadMode::reflect}, 2, 0, 2),
          frames_case("continued by the edge", {1000, 5, 301, 250, 150, PadMode::edge}, 3, 0, 15),
          frames_case("from the middle to the end", {600, 3, 257, 171, 0, PadMode::constant}, 3, 4, 5),
          power_case(1, 2),
          power_case(5003, 2),
          power_case(1023, 1),
          power_case(1025, 0.7f),
          mel_case(600, 20, 3, 2),
          mel_case(2048, 128, 2, 1),
          mel_case(601, 33, 2, 2, 64),     // tiles with a tail
          mel_case(256, 67, 2, 1.5f, 43),  // and bands without weights
          maxima_case(3, 1),
          maxima_case(2, 257),
          maxima_case(4, 5000),
          decibels_case(3, 1711, true),
          decibels_case(3, 1711, false),
          cepstrum_case(35, 40, 13),
          cepstrum_case(5, 128, 20),
          cepstrum_case(3, 4096, 2),
          cepstrum_case(17, 1, 1)};
}

TEST(FeatureKernels, AgreeWithReferencesInDoubleInEveryOrderOfThreads) {
  for (const auto& c : feature_kernels())
    for (const auto order : every_order) {
      const Running running(order);
      EXPECT_LE(c.run(), 1.0) << c.name << ", " << name_of(order);
    }
}

TEST(FeatureKernels, AreWrongWithoutAnyOneOfTheirBarriers) {
  expect_every_barrier_is_needed(feature_kernels(), 4);
}

}  // namespace
}  // namespace timbre::cuda
