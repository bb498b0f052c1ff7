// The kernels of onset_strength, tempo and chroma_stft on the SIMT host: each against a reference in double, in every order of
// threads; and each barrier, taken out, must show.
#include <gtest/gtest.h>

#include "cuda/features/chroma_stft.cu"
#include "cuda/features/onset_envelope.hpp"
#include "cuda/features/onset_strength.cu"
#include "cuda/features/tempo.cu"
#include "features/conformance.hpp"
#include "spectra.hpp"

namespace timbre::cuda {
namespace {

/// Values in double come back as float: worst_error compares floats.
std::vector<float> rounded(const std::vector<double>& x) { return {x.begin(), x.end()}; }
const auto to_rounding = [](double e) { return 2e-7 * std::abs(e) + 1e-12; };

/// Onset strength of bands of power; a segment is silent.
KernelCase onset_case(std::int64_t segments, OnsetLayout layout, bool with_trend) {
  return {
      "onset envelope of " + std::to_string(layout.bands) + (layout.median ? ", medians" : ", means"), [=] {
        const auto n = layout.frames * layout.bands;
        auto bands = random_values(std::size_t(segments * n), 1, 0, 1);
        for (std::size_t i = 0; i < bands.size(); i += 7) bands[i] = 0;  // below the floor
        std::fill(bands.begin(), bands.begin() + n, 0.0f);
        std::vector<float> maxima;
        for (std::int64_t s = 0; s < segments; ++s)
          maxima.push_back(
              std::max(1e-10f, *std::max_element(bands.begin() + s * n, bands.begin() + (s + 1) * n)));
        const auto db = to_device(bands), dm = to_device(maxima);
        const DeviceArray<double> differences(bands.size()), envelope(std::size_t(segments * layout.frames));
        const DeviceArray<float> out(envelope.size());
        onset_differences(nullptr, db.data(), dm.data(), segments, layout, differences.data());
        onset_envelope(nullptr, differences.data(), segments, layout, envelope.data());
        if (!with_trend) detrend(nullptr, envelope.data(), segments, layout.frames);
        round_to_float(nullptr, envelope.data(), segments * layout.frames, out.data());
        std::vector<double> expected;
        for (std::int64_t s = 0; s < segments; ++s) {
          const auto decibels = [&](std::int64_t t, std::int64_t m) {
            const auto of = [](double v) { return 10 * std::log10(std::max(v, 1e-10)); };
            return std::max(of(bands[std::size_t(s * n + t * layout.bands + m)]),
                            of(maxima[std::size_t(s)]) - 80);
          };
          double before = 0, filtered = 0;
          for (std::int64_t t = 0; t < layout.frames; ++t) {
            double e = 0;
            if (t >= layout.shift) {
              std::vector<double> d;
              const auto now = t - layout.shift + layout.lag;
              for (std::int64_t m = 0; m < layout.bands; ++m) {
                double top = -1e9;
                for (auto k = m - layout.max_size / 2; k < m - layout.max_size / 2 + layout.max_size; ++k)
                  if (k >= 0 && k < layout.bands) top = std::max(top, decibels(now - layout.lag, k));
                d.push_back(std::max(0.0, decibels(now, m) - top));
              }
              std::sort(d.begin(), d.end());
              const auto half = d.size() / 2;
              if (layout.median)
                e = d.size() % 2 ? d[half] : (d[half] + d[half - 1]) / 2;
              else
                e = total(d) / double(d.size());
            }
            filtered = e - before + 0.99 * filtered, before = e;
            expected.push_back(with_trend ? e : filtered);
          }
        }
        return worst_error(from_device(out), expected, [](double e) { return 2e-7 * std::abs(e) + 1e-6; });
      }};
}

KernelCase tempo_rows_case(std::int64_t frames, std::int64_t lags, std::int64_t first, std::int64_t count) {
  return {"rows of tempo " + std::to_string(lags), [=] {
            const auto e = random_values(std::size_t(frames), 1, 0, 1),
                       w = random_values(std::size_t(lags), 2, 0, 1);
            const auto de = to_device(std::vector<double>(e.begin(), e.end())),
                       dw = to_device(std::vector<double>(w.begin(), w.end()));
            const DeviceArray<double> rows(std::size_t(count * 2 * lags));
            tempo_rows(nullptr, count, {de.data(), dw.data(), frames, lags, first, rows.data()});
            std::vector<double> expected;
            const double pad = double(lags / 2);
            for (std::int64_t r = 0; r < count; ++r)
              for (std::int64_t k = 0; k < 2 * lags; ++k) {
                const auto at = first + r - lags / 2 + k;
                double v = 0;
                if (first + r < frames && k < lags) {
                  v = at < 0         ? e.front() * (1 - double(-at) / pad)
                      : at >= frames ? e.back() * (1 - double(at - frames + 1) / pad)
                                     : e[std::size_t(at)];
                  v *= w[std::size_t(k)];
                }
                expected.push_back(v);
              }
            return worst_error(rounded(from_device(rows)), expected, to_rounding);
          }};
}

/// From spectra to tempos. The first row of each segment is silent, and two lags are equally likely.
KernelCase tempo_case(std::int64_t segments, std::int64_t frames, std::int64_t lags) {
  return {"tempo of " + std::to_string(lags), [=] {
            const auto bins = lags + 1;
            const auto z = random_exact_spectrum(std::size_t(frames * bins));
            const auto dz = to_device(z);
            const DeviceArray<double> rows(std::size_t(frames * 2 * lags)), scales{std::size_t(frames)},
                sums(std::size_t(segments * lags));
            tempo_squares(nullptr, frames, {dz.data(), lags, rows.data()});
            std::vector<double> expected;
            for (std::int64_t r = 0; r < frames; ++r)
              for (std::int64_t k = 0; k < 2 * lags; ++k) {
                const auto& v = z[std::size_t(r * bins + std::min(k, 2 * lags - k))];
                expected.push_back(v.x * v.x + v.y * v.y);
              }
            double worst = worst_error(rounded(from_device(rows)), expected, to_rounding);

            features::FeatureOptions o;
            o.kind = "tempo", o.sample_rate = 6400, o.hop_length = 128;
            features::TempoScore score(o);
            score.start_bpm = score.bpm(2), score.std_bpm = 1e6;  // the mean decides
            std::vector<double> tempos_expected;
            for (std::int64_t s = 0; s < segments; ++s) {
              auto a = random_exact_spectrum(std::size_t(frames * bins));
              for (auto& v : a) v.x = std::abs(v.x);  // as what is no less than 0 has
              std::fill(a.begin(), a.begin() + bins, double2{0, 0});
              const auto loudest = s == 0 ? lags - 1 : 20 + s;
              for (std::int64_t r = 1; r < frames; ++r)
                a[std::size_t(r * bins + loudest)] = a[std::size_t(r * bins + 15)] = {-100, 0};
              for (std::int64_t r = frames / 2; r < frames; ++r)
                a[std::size_t(r * bins + loudest)] = {300, 0}, a[std::size_t(r * bins + 15)] = {300, 0};
              if (s == 1) a[std::size_t((frames - 1) * bins + 15)] = {299, 0};
              const auto da = to_device(a);
              std::vector<double> sum(static_cast<std::size_t>(lags), 0.0), scale;
              for (std::int64_t r = 0; r < frames; ++r) {
                double top = 0;
                for (std::int64_t l = 0; l < lags; ++l)
                  top = std::max(top, std::abs(a[std::size_t(r * bins + l)].x));
                scale.push_back(top > 0 ? 1 / top : 1 / double(2 * lags));
                for (std::int64_t l = 0; l < lags; ++l)
                  sum[std::size_t(l)] += a[std::size_t(r * bins + l)].x * scale.back();
              }
              tempo_scales(nullptr, da.data(), frames, lags, scales.data());
              worst = std::max(worst, worst_error(rounded(from_device(scales)), scale, to_rounding));
              const auto half = frames / 2;
              double* mine = sums.data() + s * lags;
              tempo_sums(nullptr, {da.data(), scales.data(), half, lags, true, mine});
              tempo_sums(nullptr,
                         {da.data() + half * bins, scales.data() + half, frames - half, lags, false, mine});
              // The first of two equal ones; of segment 1 the other one is higher.
              const double bpm = score.bpm(s == 1 ? loudest : 15);
              tempos_expected.insert(tempos_expected.end(), std::size_t(frames), bpm);
              const auto all = from_device(sums);
              const std::vector<double> got(all.begin() + s * lags, all.begin() + (s + 1) * lags);
              worst = std::max(
                  worst, worst_error(rounded(got), sum, [](double e) { return 2e-7 * std::abs(e) + 1e-7; }));
            }
            const DeviceArray<float> out(std::size_t(segments * frames));
            tempos(nullptr, sums.data(), segments, frames, lags, score, out.data());
            return std::max(worst, worst_error(from_device(out), tempos_expected, to_rounding));
          }};
}

/// The tuning of segments whose peaks are known; `peaks` of each.
KernelCase tuning_case(std::int64_t segments, std::int64_t n, int peaks) {
  return {"tuning by " + std::to_string(peaks) + " peaks", [=] {
            std::vector<double> heights(std::size_t(segments * n), -1.0);
            std::vector<std::uint8_t> hundredths(heights.size(), 99);
            std::vector<double> expected;
            PhiloxSequence random(7, std::uint32_t(peaks));
            for (std::int64_t s = 0; s < segments; ++s) {
              std::vector<std::pair<double, int>> of_segment;
              for (int p = 0; p < peaks; ++p) {
                const auto i = std::size_t(s * n + (p * 37) % n);  // n and 37 have no common factor
                heights[i] = std::pow(10.0, random.uniform(-6, 6));
                if (p % 5 == 0) heights[i] = 1.0;
                hundredths[i] = std::uint8_t(random.uniform(0, 100));
                of_segment.push_back({heights[i], hundredths[i]});
              }
              std::sort(of_segment.begin(), of_segment.end());
              const auto half = of_segment.size() / 2;
              const double median = peaks == 0 ? 0
                                    : peaks % 2 == 1
                                        ? of_segment[half].first
                                        : (of_segment[half].first + of_segment[half - 1].first) / 2;
              std::vector<int> counts(100, 0);
              for (const auto& [height, at] : of_segment) counts[std::size_t(at)] += height >= median;
              const auto fullest = std::max_element(counts.begin(), counts.end()) - counts.begin();
              expected.push_back(peaks == 0 ? 0 : double(fullest) / 100 - 0.5);
            }
            const auto dh = to_device(heights);
            const auto dt = to_device(hundredths);
            const DeviceArray<double> tunings{std::size_t(segments)};
            chroma_tunings(nullptr, dh.data(), dt.data(), segments, n, tunings.data());
            return worst_error(rounded(from_device(tunings)), expected, [](double) { return 1e-7; });
          }};
}

/// Peaks of frames against the CPU's estimate of one frame each, as far as it tells: the tuning.
KernelCase peaks_case(int n_fft, std::int64_t frames) {
  return {
      "peaks of " + std::to_string(n_fft), [=] {
        const std::int64_t bins = 1 + n_fft / 2;
        const features::TuningRange range(22050, bins);
        auto z = random_exact_spectrum(std::size_t(frames * bins));
        std::fill(z.end() - bins, z.end(), double2{0, 0});  // a silent frame
        const auto dz = to_device(z);
        const auto n = range.high - range.low;
        const DeviceArray<double> heights(std::size_t(frames * n)), tunings{std::size_t(frames)};
        const DeviceArray<std::uint8_t> hundredths(heights.size());
        chroma_peaks(nullptr, dz.data(), frames, {range, int(bins), 12}, heights.data(), hundredths.data());
        chroma_tunings(nullptr, heights.data(), hundredths.data(), frames, n, tunings.data());
        std::vector<double> expected;
        for (std::int64_t t = 0; t < frames; ++t) {
          features::TuningEstimate one(22050, bins, 12);
          std::vector<double> row;
          for (std::int64_t k = 0; k < bins; ++k) {
            const auto& v = z[std::size_t(t * bins + k)];
            row.push_back(v.x * v.x + v.y * v.y);
          }
          one.add(row.data());
          expected.push_back(one.result());
        }
        return worst_error(rounded(from_device(tunings)), expected, [](double) { return 1e-7; });
      }};
}

KernelCase chroma_case(std::int64_t segments, std::int64_t frames, const std::string& yaml, bool all_share) {
  return {
      "chroma of " + yaml, [=] {
        const auto o = features::options_of(yaml);
        const auto& own = o.own_as<features::ChromaStftOptions>();
        const std::int64_t n_fft = o.n_fft;
        const std::int64_t bins = o.bins(), classes = own.n_chroma, all = segments * frames;
        auto z = random_exact_spectrum(std::size_t(all * bins));
        std::fill(z.end() - bins, z.end(), double2{0, 0});
        const auto dz = to_device(z);
        std::vector<double> tunings;
        for (std::int64_t s = 0; s < (all_share ? 1 : segments); ++s)
          tunings.push_back(0.3 - 0.17 * double(s));
        const auto dt = to_device(tunings), octaves = to_device(features::chroma_octaves(o));
        const DeviceArray<float> powers(z.size()), weights(tunings.size() * std::size_t(classes * bins)),
            out(std::size_t(all * classes));
        const DeviceArray<double> sums(out.size());
        chroma_powers(nullptr, dz.data(), all * bins, powers.data());
        chroma_weights(nullptr, std::ssize(tunings),
                       {octaves.data(), dt.data(), bins, n_fft, classes, own.ctroct, own.octwidth.value_or(0),
                        own.base_c, weights.data()});
        chroma_sums(nullptr, powers.data(), weights.data(), all, frames, bins, classes, all_share,
                    sums.data());
        chroma_normed(nullptr, all,
                      {sums.data(), classes, own.norm.p.has_value(), own.norm.p.value_or(0), out.data()});
        features::ChromaFilters filters(o);
        std::vector<double> expected;
        for (std::int64_t t = 0; t < all; ++t) {
          const auto& w = filters.weights(tunings[all_share ? 0 : std::size_t(t / frames)]);
          std::vector<double> raw(static_cast<std::size_t>(classes), 0.0);
          for (std::int64_t k = 0; k < bins; ++k)
            for (std::int64_t c = 0; c < classes; ++c) {
              const auto& v = z[std::size_t(t * bins + k)];
              raw[std::size_t(c)] += double(w[std::size_t(k * classes + c)]) * (v.x * v.x + v.y * v.y);
            }
          double norm = 1;
          if (own.norm.p) {
            const double p = *own.norm.p;
            norm = std::isinf(p) ? (p > 0 ? *std::max_element(raw.begin(), raw.end())
                                          : *std::min_element(raw.begin(), raw.end()))
                   : p == 0 ? double(std::count_if(raw.begin(), raw.end(), [](double v) { return v > 0; }))
                            : 0;
            if (!std::isinf(p) && p > 0) {
              for (const double v : raw) norm += std::pow(v, p);
              norm = std::pow(norm, 1 / p);
            }
            if (norm < 1e-300) norm = 1;
          }
          for (const double v : raw) expected.push_back(v / norm);
        }
        return worst_error(from_device(out), expected, [](double e) { return 5e-7 * std::abs(e) + 1e-12; });
      }};
}

std::vector<KernelCase> onset_and_chroma_kernels() {
  return {
      onset_case(2, {9, 20, 1, 3, 1, false}, true),
      onset_case(3, {6, 33, 2, 2, 3, false}, false),
      onset_case(2, {5, 40, 1, 1, 4, true}, true),
      onset_case(2, {5, 37, 1, 2, 1, true}, true),
      onset_case(2, {2, 5, 3, 4, 1, false}, true),  // no frame has an earlier one
      tempo_rows_case(50, 12, 0, 5),
      tempo_rows_case(7, 30, 4, 6),
      tempo_case(3, 9, 40),
      peaks_case(2048, 4),
      peaks_case(512, 3),
      tuning_case(3, 300, 0),
      tuning_case(2, 300, 1),
      tuning_case(2, 601, 180),
      tuning_case(2, 601, 333),
      chroma_case(2, 3, "{kind: chroma_stft, n_fft: 512}", false),
      chroma_case(2, 3, "{kind: chroma_stft, n_fft: 256, n_chroma: 24, norm: none, octwidth: null}", true),
      chroma_case(1, 4, "{kind: chroma_stft, n_fft: 300, n_chroma: 7, norm: 2, base_c: false}", false),
      chroma_case(1, 2, "{kind: chroma_stft, n_fft: 300, norm: 0}", true),
      chroma_case(1, 3, "{kind: chroma_stft, n_fft: 300, norm: -inf}", true)};
}

TEST(OnsetAndChromaKernels, AgreeWithReferencesInDoubleInEveryOrderOfThreads) {
  for (const auto& c : onset_and_chroma_kernels())
    for (const auto order : every_order) {
      const Running running(order);
      EXPECT_LE(c.run(), 1.0) << c.name << ", " << name_of(order);
    }
}

TEST(OnsetAndChromaKernels, AreWrongWithoutAnyOneOfTheirBarriers) {
  expect_every_barrier_is_needed(onset_and_chroma_kernels(), 7);
}

}  // namespace
}  // namespace timbre::cuda
