#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "exchange/onnx.hpp"
#include "features/cepstrum.hpp"
#include "features/decibel.hpp"
#include "features/delta.hpp"
#include "features/engine.hpp"
#include "features/mel_filters.hpp"
#include "features/window.hpp"

namespace timbre::exchange {

namespace {

using features::FeatureOptions;
using nn::OnnxGraph;
using Integers = std::vector<std::int64_t>;

/// Beyond both ends, `padding` samples: [segments, samples + 2 padding].
std::string pad(OnnxGraph& g, const FeatureOptions& o, std::int64_t samples, std::int64_t padding,
                const std::string& x) {
  if (padding == 0) return x;
  if (o.pad_mode == "reflect" && padding >= samples)
    fail("features.pad_mode: reflect mirrors a segment of {} samples more than once, which ONNX does not",
         samples);
  return g.add("Pad", {x, g.integers("pads", {0, padding, 0, padding})}, {{"mode", o.pad_mode}});
}

/// [segments, length] to the squared magnitudes [segments, T, bins], by the operator STFT.
std::string stft(OnnxGraph& g, const FeatureOptions& o, const std::vector<float>& window, std::string x) {
  x = g.add("Unsqueeze", {x, g.integers("part_axis", {2})});
  const auto step = g.integer("hop_length", o.hop_length), length = g.integer("n_fft", o.n_fft);
  x = g.add("STFT", {x, step, g.constant("window", {o.n_fft}, window), length},
            {{"onesided", std::int64_t{1}}});
  x = g.add("Mul", {x, x});
  return g.add("ReduceSum", {x, g.integers("part_axis", {3})}, {{"keepdims", std::int64_t{0}}});
}

/// The same by a convolution with 2 bins filters: window[n] cos(2 pi k n / n_fft), then -window[n] sin(2 pi k n / n_fft).
std::string convolution(OnnxGraph& g, const FeatureOptions& o, const std::vector<float>& window,
                        std::string x) {
  const std::int64_t size = o.n_fft, bins = o.bins();
  constexpr std::int64_t most_values = std::int64_t{1} << 28;
  if (2 * bins > most_values / size) fail("features.n_fft: {} is too large for a convolution in ONNX", size);
  std::vector<float> basis(std::size_t(2 * bins * size));
  for (std::int64_t k = 0; k < bins; ++k)
    for (std::int64_t n = 0; n < size; ++n) {
      const auto angle = 2 * std::numbers::pi * double(k * n % size) / double(size);
      const double w = double(window[std::size_t(n)]);
      basis[std::size_t(k * size + n)] = float(w * std::cos(angle));
      basis[std::size_t((bins + k) * size + n)] = float(-w * std::sin(angle));
    }
  x = g.add("Unsqueeze", {x, g.integers("channel_axis", {1})});
  x = g.add("Conv", {x, g.constant("basis", {2 * bins, 1, size}, std::move(basis))},
            {{"kernel_shape", Integers{size}}, {"strides", Integers{o.hop_length}}});
  x = g.add("Mul", {x, x});
  x = g.add("Reshape", {x, g.integers("parts", {0, 2, bins, -1})});
  x = g.add("ReduceSum", {x, g.integers("part_axis", {1})}, {{"keepdims", std::int64_t{0}}});
  return g.add("Transpose", {x}, {{"perm", Integers{0, 2, 1}}});
}

std::string spectrogram(OnnxGraph& g, const FeatureOptions& o, std::int64_t samples, std::string x) {
  g.scope("spectrogram");
  x = pad(g, o, samples, o.center ? o.n_fft / 2 : 0, x);
  const auto window = features::make_window(o.window, o.window_samples(), o.n_fft);
  const bool power_of_two = std::has_single_bit(unsigned(o.n_fft));
  x = power_of_two && o.n_fft >= 2048 ? stft(g, o, window, x) : convolution(g, o, window, x);
  if (o.power == 2.0) return x;
  if (o.power == 1.0) return g.add("Sqrt", {x});
  return g.add("Pow", {x, g.number("half_power", float(o.power / 2))});
}

std::string mel(OnnxGraph& g, const FeatureOptions& o, const std::string& x) {
  g.scope("mel");
  const auto bands = features::MelFilters(o).dense();  // [n_mels, bins]
  const std::int64_t bins = o.bins();
  std::vector<float> matrix(bands.size());
  for (std::int64_t m = 0; m < o.n_mels; ++m)
    for (std::int64_t k = 0; k < bins; ++k)
      matrix[std::size_t(k * o.n_mels + m)] = bands[std::size_t(m * bins + k)];
  return g.add("MatMul", {x, g.constant("bands", {bins, o.n_mels}, std::move(matrix))});
}

std::string decibels(OnnxGraph& g, const FeatureOptions& o, std::string x) {
  g.scope("decibels");
  x = g.add("Log", {g.add("Max", {x, g.number("amin", features::smallest_power)})});
  x = g.add("Mul", {x, g.number("scale", float(10 / std::numbers::ln10))});
  if (!o.top_db) return x;
  const auto top = g.add("ReduceMax", {x}, {{"axes", Integers{1, 2}}, {"keepdims", std::int64_t{1}}});
  return g.add("Max", {x, g.add("Sub", {top, g.number("top_db", float(*o.top_db))})});
}

/// The mean of a frame apart, as in features/mfcc.cpp: a product of large, nearly equal numbers loses digits.
std::string cepstrum(OnnxGraph& g, const FeatureOptions& o, const std::string& x) {
  g.scope("cepstrum");
  const auto mean = g.add("ReduceMean", {x}, {{"axes", Integers{2}}, {"keepdims", std::int64_t{1}}});
  const auto first = g.add("Mul", {mean, g.number("scale", float(std::sqrt(double(o.n_mels))))});
  if (o.n_mfcc == 1) return first;
  const auto cosines =
      g.constant("cosines", {o.n_mels, o.n_mfcc - 1}, features::cepstral_cosines(o.n_mels, o.n_mfcc));
  const auto rest = g.add("MatMul", {g.add("Sub", {x, mean}), cosines});
  return g.add("Concat", {first, rest}, {{"axis", std::int64_t{2}}});
}

bool has_mels(const FeatureOptions& o) { return o.kind == "mel" || o.kind == "log_mel" || o.kind == "mfcc"; }

/// x: the spectrogram.
std::string kind(OnnxGraph& g, const FeatureOptions& o, std::string x) {
  if (has_mels(o)) x = mel(g, o, x);
  if (o.kind == "log_mel" || o.kind == "mfcc") x = decibels(g, o, x);
  if (o.kind == "mfcc") x = cepstrum(g, o, x);
  return x;
}

/// The change of x over time, as a matrix over the frames (features/delta.hpp).
std::string change(OnnxGraph& g, const FeatureOptions& o, std::int64_t samples, int order,
                   const std::string& x) {
  g.scope("delta");
  const auto frames = features::frame_count(o, samples), width = std::int64_t{o.delta_frames()};
  constexpr std::int64_t most_frames = 8192;  // 256 MiB
  if (frames > most_frames) fail("features.delta: a segment of {} frames is too long for ONNX", frames);
  const auto weights = features::delta_weights(o.delta_frames(), order);
  std::vector<float> matrix(std::size_t(frames * frames), 0.0f);
  for (std::int64_t t = 0; t < frames; ++t) {
    const auto first = std::clamp<std::int64_t>(t - width / 2, 0, frames - width);
    for (std::int64_t j = 0; j < width; ++j)
      matrix[std::size_t(t * frames + first + j)] = float(weights[std::size_t(j)]);
  }
  return g.add("MatMul", {g.constant("weights", {frames, frames}, std::move(matrix)), x});
}

std::string summary(OnnxGraph& g, const std::vector<std::string>& names, const std::string& x) {
  g.scope("summary");
  const auto mean_of = [&](const std::string& values) {
    return g.add("ReduceMean", {values}, {{"axes", Integers{1}}, {"keepdims", std::int64_t{1}}});
  };
  const auto mean = mean_of(x);
  std::vector<std::string> out;
  for (const auto& name : names) {
    if (name == "mean") {
      out.push_back(mean);
      continue;
    }
    const auto distance = g.add("Sub", {x, mean});
    out.push_back(g.add("Sqrt", {mean_of(g.add("Mul", {distance, distance}))}));
  }
  return out.size() == 1 ? out.front() : g.add("Concat", std::move(out), {{"axis", std::int64_t{2}}});
}

}  // namespace

std::string add_features(OnnxGraph& graph, const FeatureOptions& options, std::int64_t segment_samples,
                         std::string x) {
  if (options.external)
    fail_request("--from audio: the model takes no audio, but {}", features::needs(*options.external));
  for (const auto& part : options.parts())
    if (!has_mels(part) && part.kind != "spectrogram")
      fail("features.kind: {} has no mapping to ONNX", part.kind);
  features::feature_shape(options, segment_samples);  // or says what is wrong
  std::vector<std::string> stacked;
  std::vector<std::pair<const FeatureOptions*, std::string>> spectrograms;  // that are there
  for (const auto& part : options.parts()) {
    auto there = std::find_if(spectrograms.begin(), spectrograms.end(), [&](const auto& s) {
      return features::share_transform(*s.first, part) && s.first->power == part.power;
    });
    if (there == spectrograms.end()) {
      spectrograms.emplace_back(&part, spectrogram(graph, part, segment_samples, x));
      there = spectrograms.end() - 1;
    }
    stacked.push_back(kind(graph, part, there->second));
    const auto values = stacked.back();
    for (int order = 1; order <= part.delta_orders(); ++order)
      stacked.push_back(change(graph, part, segment_samples, order, values));
  }
  x = stacked.front();
  if (stacked.size() > 1) {
    graph.scope("stack");
    x = graph.add("Concat", std::move(stacked), {{"axis", std::int64_t{2}}});
  }
  return options.summary ? summary(graph, *options.summary, x) : x;
}

}  // namespace timbre::exchange
