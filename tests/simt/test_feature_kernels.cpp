// The feature kernels on the SIMT host: each against a reference in double, with odd sizes and tails, in
// every order of threads; and each barrier of each, taken out, must show.
#include <gtest/gtest.h>

#include <complex>
#include <numbers>

#include "cuda/features/block_stft.hpp"
#include "cuda/features/mel_bands.hpp"
#include "cuda/features/mfcc.cu"
#include "cuda/features/rms.cu"
#include "cuda/features/spectral_bandwidth.cu"
#include "cuda/features/spectral_centroid.cu"
#include "cuda/features/spectral_contrast.cu"
#include "cuda/features/spectral_flatness.cu"
#include "cuda/features/spectral_rolloff.cu"
#include "cuda/features/spectrogram.cu"
#include "cuda/features/zero_crossing_rate.cu"
#include "features/decibel.hpp"
#include "features/mel_filters.hpp"
#include "spectra.hpp"

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

/// Frames of float64, as from exact transforms.
KernelCase exact_frames_case(FrameLayout layout, std::int64_t segments) {
  return {"frames in float64", [=] {
            const auto x = random_values(std::size_t(segments * layout.samples), 1, -1, 1);
            const std::vector<double> window(std::size_t(layout.size), 1.0 / 3);
            const auto count = segments * layout.frames;
            const auto dx = to_device(x);
            const auto dw = to_device(window);
            const DeviceArray<double> out(std::size_t(count * layout.size));
            window_frames(nullptr, dx.data(), dw.data(), layout, 0, count, out.data());
            std::vector<double> expected;
            for (std::int64_t g = 0; g < count; ++g)
              for (std::int64_t n = 0; n < layout.size; ++n)
                expected.push_back(padded(x, g / layout.frames * layout.samples, layout.samples,
                                          g % layout.frames * layout.hop + n - layout.padding, layout.mode) /
                                   3);
            const auto found = from_device(out);
            double worst = 0;
            for (std::size_t i = 0; i < found.size(); ++i)
              worst = std::isfinite(found[i]) ? std::max(worst, std::abs(found[i] - expected[i]) / 1e-15)
                                              : INFINITY;
            return worst;
          }};
}

KernelCase level_case(FrameLayout layout, std::int64_t segments) {
  return {"rms of " + std::to_string(layout.size), [=] {
            const auto x = random_values(std::size_t(segments * layout.samples), 1, -1, 1);
            const auto dx = to_device(x);
            const DeviceArray<float> out(std::size_t(segments * layout.frames));
            rms(nullptr, dx.data(), layout, segments, out.data());
            std::vector<double> expected;
            for (std::int64_t g = 0; g < segments * layout.frames; ++g) {
              double sum = 0;
              for (std::int64_t n = 0; n < layout.size; ++n)
                sum += std::pow(padded(x, g / layout.frames * layout.samples, layout.samples,
                                       g % layout.frames * layout.hop + n - layout.padding, layout.mode),
                                2);
              expected.push_back(std::sqrt(sum / double(layout.size)));
            }
            return worst_error(from_device(out), expected, [](double) { return 1e-7; });
          }};
}

KernelCase crossings_case(FrameLayout layout, std::int64_t segments, double threshold, bool zero_pos,
                          bool pad) {
  return {"zero crossings above " + std::to_string(threshold), [=] {
            auto x = random_values(std::size_t(segments * layout.samples), 1, -1, 1);
            for (auto& v : x)
              if (std::abs(v) < 0.2f) v = 0;
            const auto dx = to_device(x);
            const DeviceArray<float> out(std::size_t(segments * layout.frames));
            zero_crossings(nullptr, dx.data(), layout, segments, threshold, zero_pos, pad, out.data());
            std::vector<double> expected;
            for (std::int64_t g = 0; g < segments * layout.frames; ++g) {
              const auto sign = [&](std::int64_t n) {
                const double v = padded(x, g / layout.frames * layout.samples, layout.samples,
                                        g % layout.frames * layout.hop + n - layout.padding, layout.mode);
                return v > threshold ? 1 : v < -threshold ? -1 : zero_pos ? 1 : 0;
              };
              int count = pad ? 1 : 0;
              for (std::int64_t n = 1; n < layout.size; ++n) count += sign(n) != sign(n - 1);
              expected.push_back(double(count) / double(layout.size));
            }
            return worst_error(from_device(out), expected, [](double) { return 1e-7; });
          }};
}

/// A kind with one value a frame of magnitudes; the last frame is silent.
KernelCase row_case(std::string name, int bins, std::int64_t frames,
                    std::function<void(const double2*, float*)> kernel,
                    std::function<double(const std::vector<double>&)> reference) {
  return {std::move(name) + " of " + std::to_string(bins), [=] {
            auto z = random_exact_spectrum(std::size_t(frames * bins));
            std::fill(z.end() - bins, z.end(), double2{0, 0});
            const auto dz = to_device(z);
            const DeviceArray<float> out{std::size_t(frames)};
            kernel(dz.data(), out.data());
            std::vector<double> expected;
            for (std::int64_t t = 0; t < frames; ++t) {
              std::vector<double> row;
              for (int k = 0; k < bins; ++k) {
                const auto& v = z[std::size_t(t * bins + k)];
                row.push_back(std::hypot(v.x, v.y));
              }
              expected.push_back(reference(row));
            }
            return worst_error(from_device(out), expected,
                               [](double e) { return 2e-7 * std::abs(e) + 1e-12; });
          }};
}

double mean_bin(const std::vector<double>& row) {
  double sum = 0;
  for (std::size_t k = 0; k < row.size(); ++k) sum += double(k) * row[k];
  return total(row) > 0 ? sum / total(row) : 0;
}

KernelCase centroid_case(int bins, std::int64_t frames) {
  return row_case(
      "centroids", bins, frames,
      [=](const double2* z, float* out) { centroids(nullptr, z, frames, bins, 2.5, out); },
      [](const auto& row) { return 2.5 * mean_bin(row); });
}

KernelCase bandwidth_case(int bins, std::int64_t frames, double p, bool norm) {
  return row_case(
      "bandwidths to " + std::to_string(p), bins, frames,
      [=](const double2* z, float* out) { bandwidths(nullptr, z, frames, bins, 2.5, p, norm, out); },
      [=](const auto& row) {
        const double centre = mean_bin(row), all = norm && total(row) > 0 ? total(row) : 1;
        double sum = 0;
        for (std::size_t k = 0; k < row.size(); ++k)
          sum += row[k] / all * std::pow(2.5 * std::abs(double(k) - centre), p);
        return std::pow(sum, 1 / p);
      });
}

KernelCase rolloff_case(int bins, std::int64_t frames, double share) {
  return row_case(
      "roll-offs of " + std::to_string(share), bins, frames,
      [=](const double2* z, float* out) { rolloffs(nullptr, z, frames, bins, 2.5, share, out); },
      [=](const auto& row) {
        double sum = 0;
        std::size_t k = 0;
        while ((sum += row[k]) < share * total(row)) ++k;
        return 2.5 * double(k);
      });
}

KernelCase flatness_case(int bins, std::int64_t frames, double power, double amin) {
  return row_case(
      "flatness to " + std::to_string(power), bins, frames,
      [=](const double2* z, float* out) { flatnesses(nullptr, z, frames, bins, power, amin, out); },
      [=](const auto& row) {
        double logarithms = 0, sum = 0;
        for (const double m : row) {
          const double s = std::max(amin, std::pow(m, power));
          logarithms += std::log(s), sum += s;
        }
        const auto n = double(row.size());
        return std::exp(logarithms / n) / (sum / n);
      });
}

/// Two bands that overlap; some magnitudes are equal, and the last frame is silent.
KernelCase contrast_case(std::int64_t segments, std::int64_t frames, bool linear) {
  return {linear ? "contrast of magnitudes" : "contrast in decibels", [=] {
            const std::vector<int> bands{0, 5, 2, 3, 70, 9};
            const int bins = 75;
            const auto count = segments * frames;
            auto z = random_exact_spectrum(std::size_t(count * bins));
            for (std::size_t i = 0; i < z.size(); i += 3) z[i] = {0.5, 0};
            std::fill(z.end() - bins, z.end(), double2{0, 0});
            const auto dz = to_device(z);
            const auto db = to_device(bands);
            const DeviceArray<double> peaks(std::size_t(count * 2)), valleys(std::size_t(count * 2));
            const DeviceArray<float> out(std::size_t(count * 2));
            contrasts(nullptr, dz.data(), db.data(), count, 2, bins, peaks.data(), valleys.data());
            contrasts_of_segments(nullptr, peaks.data(), valleys.data(), segments, frames * 2, linear,
                                  out.data());
            std::vector<double> high, low, expected;
            for (std::int64_t t = 0; t < count; ++t)
              for (int b = 0; b < 2; ++b) {
                const int first = bands[std::size_t(3 * b)], taken = bands[std::size_t(3 * b + 2)];
                std::vector<double> row;
                for (int k = 0; k < bands[std::size_t(3 * b + 1)]; ++k) {
                  const auto& v = z[std::size_t(t * bins + first + k)];
                  row.push_back(std::hypot(v.x, v.y));
                }
                std::sort(row.begin(), row.end());
                double peak = 0, valley = 0;
                for (int i = 0; i < taken; ++i)
                  valley += row[std::size_t(i)] / taken, peak += row[row.size() - 1 - std::size_t(i)] / taken;
                high.push_back(peak), low.push_back(valley);
              }
            const auto size = frames * 2;
            for (std::int64_t s = 0; s < segments; ++s) {
              const auto decibels = [&](const std::vector<double>& x, std::int64_t i) {
                const auto db_of = [](double v) { return 10 * std::log10(std::max(v, 1e-10)); };
                const double top = *std::max_element(x.begin() + s * size, x.begin() + (s + 1) * size);
                return std::max(db_of(x[std::size_t(i)]), db_of(top) - 80);
              };
              for (auto i = s * size; i < (s + 1) * size; ++i)
                expected.push_back(linear ? high[std::size_t(i)] - low[std::size_t(i)]
                                          : decibels(high, i) - decibels(low, i));
            }
            return worst_error(from_device(out), expected,
                               [](double e) { return 2e-7 * std::abs(e) + 1e-12; });
          }};
}

KernelCase exact_mel_case(int n_fft, int n_mels, std::int64_t frames, float exponent) {
  return {"mel bands in float64 " + std::to_string(n_mels), [=] {
            features::FeatureOptions o;
            o.n_fft = n_fft, o.n_mels = n_mels, o.power = exponent;
            const CudaMelBands mel(o, nullptr);
            const auto z = random_exact_spectrum(std::size_t(frames * o.bins()));
            const auto dz = to_device(z);
            const DeviceArray<float> out(std::size_t((frames + 1) * n_mels));
            clear_on_device(out, nullptr);
            mel.enqueue(nullptr, dz.data(), 1, frames, out.data());
            std::vector<double> expected(static_cast<std::size_t>(n_mels), 0.0);
            const features::MelFilters filters(o);
            for (std::int64_t t = 0; t < frames; ++t) {
              const float* w = filters.weights().data();
              for (const auto& f : filters.filters()) {
                double sum = 0;
                for (int i = 0; i < 8 * f.groups; ++i, ++w)
                  if (f.first + i < o.bins()) {
                    const auto& v = z[std::size_t(t * o.bins() + f.first + i)];
                    sum += double(*w) * std::pow(std::hypot(v.x, v.y), double(exponent));
                  }
                expected.push_back(sum);
              }
            }
            return worst_error(from_device(out), expected,
                               [](double e) { return 2e-6 * std::abs(e) + 1e-12; });
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
          cepstrum_case(17, 1, 1),
          exact_frames_case({100, 5, 30, 25, 15, PadMode::reflect}, 2),
          level_case({1000, 5, 300, 250, 150, PadMode::reflect}, 3),
          level_case({50, 1, 33, 100, 0, PadMode::constant}, 2),
          crossings_case({1000, 5, 300, 250, 150, PadMode::edge}, 3, 1e-10, true, false),
          crossings_case({400, 7, 65, 50, 0, PadMode::edge}, 2, 0.4, false, true),
          centroid_case(1025, 5),
          centroid_case(2, 9),
          bandwidth_case(129, 6, 2, true),
          bandwidth_case(33, 3, 1.5, false),
          rolloff_case(257, 5, 0.85),
          rolloff_case(64, 2, 0.01),
          rolloff_case(31, 3, 0.999),
          contrast_case(3, 5, false),
          contrast_case(2, 20, true),
          flatness_case(301, 5, 2, 1e-10),
          flatness_case(32, 4, 1, 0.5),
          flatness_case(7, 4, 0.7, 1e-3),
          exact_mel_case(600, 20, 3, 2),
          exact_mel_case(256, 11, 2, 1)};
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
