#include "pictures/feature_rasters.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "features/decibel.hpp"
#include "features/engine.hpp"

namespace timbre::pictures {
namespace {

using features::FeatureOptions;
using plot::Cells;
using plot::Reduction;

/// Options of another kind than the configuration's, which were checked for that one only.
FeatureOptions of_kind(FeatureOptions options, const std::string& kind) {
  options.kind = kind;
  options.own.reset(), options.delta.reset(), options.summary.reset();
  options.n_mfcc = std::min(options.n_mfcc, options.n_mels);
  if (kind == "spectrogram") options.power = 2;  // so that power_to_db gives 20 log10 of the magnitude
  return options;
}

/// A hop so many times the configuration's that the largest matrix stays small.
void thin_out(FeatureOptions& options, std::int64_t samples) {
  constexpr std::int64_t largest = std::int64_t{1} << 25;  // values
  const auto most = std::max<std::int64_t>(1, largest / std::max(options.bins(), options.n_mels) - 1);
  const auto frames = samples / options.hop_length;
  options.hop_length *= static_cast<int>(1 + frames / most);
}

std::vector<float> extract(const FeatureOptions& options, std::span<const float> samples) {
  const auto engine = features::make_cpu_feature_engine(options, std::ssize(samples));
  std::vector<float> out(static_cast<std::size_t>(engine->shape().size()));
  engine->compute(samples.data(), 1, out.data());
  return out;
}

/// Frames under the pixels of a time axis from the first sample to the last.
std::vector<Cells> columns(const FeatureOptions& options, std::int64_t samples, int width) {
  const double first_centre = options.center ? 0 : options.n_fft / 2.0;
  return plot::cells_under_pixels(width, features::frame_count(options, samples), [&](double p) {
    return (p * double(samples) / width - first_centre) / options.hop_length;
  });
}

/// Rows from the top down over cells 0 ... size - 1, the first cell at the bottom.
std::vector<Cells> rows_upwards(int height, std::int64_t size) {
  return plot::cells_under_pixels(height, size,
                                  [&](double p) { return double(size) - 0.5 - p * double(size) / height; });
}

/// The same with a row at the bottom for cell 0 alone.
std::vector<Cells> rows_above_the_first(int height, std::int64_t size) {
  std::vector<Cells> rows;
  if (size > 1) rows = rows_upwards(height - 1, size - 1);
  for (auto& r : rows) ++r.first, ++r.last;
  rows.push_back({0, 1});
  return rows;
}

plot::Range range_of(std::span<const float> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return plot::usable({double(*low), double(*high)});
}

}  // namespace

const FeatureOptions& drawn_part(const FeatureOptions& options) {
  for (const auto& part : options.parts()) {
    const auto& keys = features::FeatureRegistry::instance().find(part.kind)->keys;
    if (std::find(keys.begin(), keys.end(), "n_mels") != keys.end()) return part;
  }
  return options.parts().front();
}

double FeatureRasters::height_of(double hertz) const {
  if (!logarithmic) return (hertz - lowest_hertz) / (highest_hertz - lowest_hertz);
  return std::log(hertz / lowest_hertz) / std::log(highest_hertz / lowest_hertz);
}

FeatureRasters feature_rasters(const FeatureOptions& whole, std::span<const float> samples,
                               const RasterSize& size) {
  const auto count = std::ssize(samples);
  const auto& given = drawn_part(whole);
  FeatureOptions options = of_kind(given, "spectrogram");
  thin_out(options, count);
  FeatureRasters out{};
  const double nyquist = options.sample_rate / 2.0, bin = double(options.sample_rate) / options.n_fft;
  // Below the third bin a logarithmic axis would show little but the width of the bins.
  out.logarithmic = options.n_fft >= 128;
  out.lowest_hertz = out.logarithmic ? std::max(20.0, 3 * bin) : 0;
  out.highest_hertz = nyquist;

  auto power = extract(options, samples);
  features::power_to_db(power.data(), std::ssize(power), std::nullopt);
  const auto time = columns(options, count, size.width);
  const auto rows = plot::cells_under_pixels(size.spectrogram_height, options.bins(), [&](double p) {
    const double up = 1 - p / size.spectrogram_height;
    if (!out.logarithmic) return up * nyquist / bin;
    return out.lowest_hertz * std::pow(nyquist / out.lowest_hertz, up) / bin;
  });
  out.spectrogram = plot::rasterise(power, options.bins(), time, rows, Reduction::maximum);
  const double top = out.spectrogram.highest(), depth = given.top_db.value_or(80);
  out.decibels = plot::usable({std::max<double>(out.spectrogram.lowest(), top - depth), top});
  power = {};

  const int hop = options.hop_length;
  options = of_kind(given, "log_mel");
  options.hop_length = hop;
  out.bands = options.n_mels, out.coefficient_count = options.n_mfcc;
  out.mel = plot::rasterise(extract(options, samples), options.n_mels, time,
                            rows_upwards(std::min(size.mel_height, options.n_mels), options.n_mels),
                            Reduction::maximum);
  out.mel_decibels = range_of(out.mel.values);

  options.kind = "mfcc";
  const int height = std::min(size.mfcc_height, options.n_mfcc);
  out.mfcc = plot::rasterise(extract(options, samples), options.n_mfcc, time,
                             rows_above_the_first(height, options.n_mfcc), Reduction::mean);
  const auto values = std::span<const float>(out.mfcc.values);
  const auto others = values.first(values.size() - std::size_t(size.width));
  out.first = range_of(values.last(std::size_t(size.width)));
  out.coefficients = others.empty() ? out.first : range_of(others);
  return out;
}

}  // namespace timbre::pictures
