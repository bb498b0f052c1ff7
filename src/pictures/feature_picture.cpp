#include "pictures/feature_picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "audio/decode.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "features/mel_filters.hpp"
#include "pictures/feature_rasters.hpp"
#include "plot/panel.hpp"
#include "plot/png.hpp"

namespace timbre::pictures {
namespace {

using features::FeatureOptions;
using plot::ColourMap;
using plot::Panel;
using plot::Range;
using plot::Svg;

constexpr double text_size = 11, bar_width = 12, bar_gap = 12;

/// A number of seconds (or milliseconds) with at most `decimals`.
std::string rounded(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  return number_text(std::round(value * scale) / scale);
}

/// The bitmaps of a picture, quantised to as many colours as keep it small: noise does not compress.
struct Bitmaps {
  std::vector<plot::Colour> decibel_colours, coefficient_colours;
  std::string spectrogram, mel, mfcc;  // PNG
};

std::string encode(const plot::Raster& raster, Range range, std::span<const plot::Colour> colours) {
  return encode_png(plot::quantise(raster.values, range, int(colours.size())), raster.width, raster.height,
                    colours);
}

/// The bottom row has its own range.
std::string encode_mfcc(const FeatureRasters& r, std::span<const plot::Colour> colours) {
  const int levels = int(colours.size());
  auto pixels = plot::quantise(r.mfcc.values, r.coefficients, levels);
  const auto bottom = std::span<const float>(r.mfcc.values).last(std::size_t(r.mfcc.width));
  std::ranges::copy(plot::quantise(bottom, r.first, levels), pixels.end() - r.mfcc.width);
  return plot::encode_png(pixels, r.mfcc.width, r.mfcc.height, colours);
}

/// With 64 colours, or fewer until the PNGs take no more than `bytes` (16 colours need half a byte per
/// pixel).
Bitmaps encode_all(const FeatureRasters& r, bool with_mel, std::size_t bytes) {
  Bitmaps out;
  for (const int levels : {64, 32, 16}) {
    out.decibel_colours = plot::palette(ColourMap::magma, levels);
    out.coefficient_colours = plot::palette(ColourMap::viridis, levels);
    out.spectrogram = encode(r.spectrogram, r.decibels, out.decibel_colours);
    if (with_mel) out.mel = encode(r.mel, r.mel_decibels, out.decibel_colours);
    out.mfcc = encode_mfcc(r, out.coefficient_colours);
    if (out.spectrogram.size() + out.mel.size() + out.mfcc.size() <= bytes) break;
  }
  return out;
}

/// Few rows are many pixels high each, and keep their edges.
void put_image(Svg& svg, const Panel& p, const std::string& png, int rows) {
  svg.image(p.x, p.y, p.width, p.height, png, rows < 64);
}

/// The lowest and highest sample of every pixel column as an area, or the samples themselves where they are
/// few.
void draw_waveform(Svg& svg, const Panel& p, std::span<const float> samples, double full) {
  constexpr std::string_view colour = "#2f6d8c";
  const auto y = [&](double v) { return p.y + p.height / 2 * (1 - v / full); };
  std::string d;
  const auto point = [&](double x, double v) {
    d += fmt::format("{}{:.1f} {:.1f}", d.empty() ? 'M' : 'L', x, y(v));
  };
  const auto n = std::ssize(samples);
  const auto width = static_cast<std::int64_t>(p.width);
  if (n <= 2 * width) {
    for (std::int64_t i = 0; i < n; ++i)
      point(p.x + p.width * double(i) / double(n), samples[std::size_t(i)]);
    svg.path(d, "none", colour);
    return;
  }
  std::vector<float> lowest;
  for (std::int64_t c = 0; c < width; ++c) {
    const auto part =
        samples.subspan(std::size_t(c * n / width), std::size_t((c + 1) * n / width - c * n / width));
    const auto [low, high] = std::ranges::minmax(part);
    lowest.push_back(low);
    point(p.x + double(c) + 0.5, high);
  }
  for (auto c = width - 1; c >= 0; --c) point(p.x + double(c) + 0.5, lowest[std::size_t(c)]);
  svg.path(d + "Z", colour, colour);
}

/// The value that the waveform's axis ends with: the peak, rounded up to 1, 2 or 5 times a power of ten.
double full_scale(std::span<const float> samples) {
  double peak = 0;
  for (const float v : samples) peak = std::max(peak, std::abs(double(v)));
  if (peak < 1e-6) return 1;  // silence
  for (double decade = 1e-6;; decade *= 10)
    for (const double factor : {1.0, 2.0, 5.0})
      if (factor * decade >= peak * (1 - 1e-6)) return factor * decade;
}

void draw_heading(Svg& svg, const Panel& p, std::string_view title, std::string_view detail,
                  double title_width) {
  svg.text(p.x, p.y - 8, title, {.size = 13, .fill = "#111", .bold = true});
  svg.text(p.x + title_width, p.y - 8, detail, {.size = text_size, .fill = "#666"});
}

void draw_y_title(Svg& svg, const Panel& p, std::string_view title) {
  svg.text(p.x - 62, p.y + p.height / 2, title,
           {.size = text_size, .anchor = "middle", .fill = "#666", .turned = -90});
}

Panel bar_of(const Panel& p) { return {p.x + p.width + bar_gap, p.y, bar_width, p.height}; }

/// The position, in bands, of a mel band that is centred on this frequency.
double band_of(const std::vector<double>& edges, double hertz) {
  const auto above = std::upper_bound(edges.begin(), edges.end(), hertz);
  if (above == edges.begin() || above == edges.end())
    return above == edges.begin() ? -1 : double(edges.size()) - 2;
  const double low = *(above - 1), high = *above;
  return double(above - edges.begin()) - 2 + (hertz - low) / (high - low);
}

/// y of frequencies on a panel of mel bands, and which have a tick.
void draw_mel_axis(Svg& svg, const Panel& p, const FeatureOptions& options) {
  const auto edges = features::mel_frequencies(options);
  const auto position = [&](double hertz) {
    return p.y + p.height * (1 - (band_of(edges, hertz) + 0.5) / options.n_mels);
  };
  // The outermost edges of the filters lie half a band outside of the panel.
  const double low = (edges[0] + edges[1]) / 2, high = (edges[edges.size() - 2] + edges.back()) / 2;
  draw_y_axis(svg, p, plot::frequency_ticks(low, high, position, 14, false), position, text_size);
}

void draw_spectrogram_axis(Svg& svg, const Panel& p, const FeatureRasters& r, double distance, bool brief,
                           double size) {
  const auto position = [&](double hertz) { return p.y + p.height * (1 - r.height_of(hertz)); };
  auto ticks = plot::frequency_ticks(r.lowest_hertz, r.highest_hertz, position, distance, brief);
  if (!r.logarithmic) {
    ticks = plot::linear_ticks(r.lowest_hertz, r.highest_hertz, int(p.height / 30));
    for (auto& tick : ticks)
      if (tick.value >= 1000) tick.label = grouped(std::llround(tick.value));
  }
  draw_y_axis(svg, p, ticks, position, size);
}

void draw_mfcc_axis(Svg& svg, const Panel& p, const FeatureRasters& r, double distance, double size) {
  const auto ticks = plot::whole_ticks(0, r.coefficient_count - 1, int(p.height / distance));
  draw_y_axis(
      svg, p, ticks, [&](double c) { return p.y + p.height * (1 - (c + 0.5) / r.coefficient_count); }, size);
}

}  // namespace

Excerpt read_excerpt(const std::filesystem::path& file, int sample_rate, double offset, double seconds) {
  const auto name = printable(file.string());
  try {
    audio::AudioReader reader(file, sample_rate);
    Excerpt out{.offset = offset};
    const auto skipped = std::llround(offset * sample_rate),
               wanted = std::max(1LL, std::llround(seconds * sample_rate));
    std::vector<float> block(1 << 16);
    std::int64_t at = 0;
    while (at < skipped) {
      const auto n = reader.read(
          std::span(block).first(std::size_t(std::min<std::int64_t>(std::ssize(block), skipped - at))));
      if (n == 0) break;
      at += std::int64_t(n);
    }
    bool ended = false;
    while (at >= skipped && std::ssize(out.samples) < wanted && !ended) {
      const auto n = std::min<std::int64_t>(std::ssize(block), wanted - std::ssize(out.samples));
      const auto got = reader.read(std::span(block).first(std::size_t(n)));
      out.samples.insert(out.samples.end(), block.begin(), block.begin() + std::ptrdiff_t(got));
      ended = std::int64_t(got) < n;
    }
    if (out.samples.empty())
      fail_request("{}: --offset {} lies behind its end: it has {} s", name, number_text(offset),
                   rounded(double(at) / sample_rate, 3));
    // A file that ends exactly with the excerpt has nothing more to give either.
    if (!ended) ended = reader.read(std::span(block).first(1)) == 0;
    if (ended)
      out.file_seconds = double(skipped + std::ssize(out.samples)) / sample_rate;
    else if (const auto frames = reader.file_frames(); frames > 0 && frames < (std::int64_t{1} << 60))
      out.file_seconds = double(frames) / reader.file_sample_rate();
    return out;
  } catch (const RequestError&) {
    throw;
  } catch (const Error& e) {
    fail_request("{}: {}", name, e.what());
  }
}

std::string describe_excerpt(const Excerpt& s, int sample_rate) {
  const double length = double(s.samples.size()) / sample_rate;
  const auto whole = s.file_seconds > 0 ? fmt::format(" of {} s", rounded(s.file_seconds, 1)) : "";
  if (s.offset > 0)
    return fmt::format("{} to {} s{}", rounded(s.offset, 2), rounded(s.offset + length, 2), whole);
  if (s.file_seconds > 0 && s.file_seconds - length < 0.05) return fmt::format("{} s", rounded(length, 2));
  return fmt::format("the first {} s{}", rounded(length, 2), whole);
}

std::string feature_picture(const FeatureOptions& whole, const Excerpt& excerpt, std::string_view name,
                            std::string_view what) {
  const auto& options = drawn_part(whole);
  const auto count = std::ssize(excerpt.samples);
  const auto ms = [&](double samples) {
    const double value = 1000 * samples / options.sample_rate;
    return rounded(value, value < 1 ? 3 : 1);
  };
  if (count < options.n_fft)
    fail_request("shorter than one frame of n_fft {} samples ({} ms): {} samples ({} ms)", options.n_fft,
                 ms(options.n_fft), count, ms(double(count)));
  const Panel wave{84, 84, 780, 100}, spectrogram{84, 220, 780, 210}, mel{84, 466, 780, 190},
      mfcc{84, 692, 780, 140};
  const auto r =
      feature_rasters(options, excerpt.samples,
                      {int(wave.width), int(spectrogram.height), int(mel.height), int(mfcc.height)});
  const auto bitmaps = encode_all(r, true, 190'000);

  Svg svg(960, 876, fmt::format("Waveform, spectrogram, mel spectrogram and MFCCs of {}", name));
  svg.text(wave.x, 30, plot::shortened(name, 80), {.size = 17, .fill = "#111", .bold = true});
  svg.text(wave.x, 50, what, {.size = 12, .fill = "#555"});

  const Range time{excerpt.offset, excerpt.offset + double(count) / options.sample_rate};
  const auto time_axis = plot::time_ticks(time.low, time.high, 10);
  const bool clock = time_axis.front().label.find(':') != std::string::npos;

  draw_heading(svg, wave, "Waveform", "", 0);
  const double full = full_scale(excerpt.samples);
  svg.line(wave.x, wave.y + wave.height / 2, wave.x + wave.width, wave.y + wave.height / 2, "#ccc");
  draw_waveform(svg, wave, excerpt.samples, full);
  draw_y_axis(
      svg, wave, plot::linear_ticks(-full, full, 4),
      [&](double v) { return wave.y + wave.height / 2 * (1 - v / full); }, text_size);
  draw_y_title(svg, wave, "amplitude");
  draw_x_axis(svg, wave, time_axis, time, false, text_size);

  draw_heading(svg, spectrogram, "Spectrogram",
               fmt::format("|STFT|, {} window of {} samples ({} ms) every {} ({} ms)", options.window,
                           options.window_samples(), ms(options.window_samples()), options.hop_length,
                           ms(options.hop_length)),
               96);
  put_image(svg, spectrogram, bitmaps.spectrogram, r.spectrogram.height);
  draw_spectrogram_axis(svg, spectrogram, r, 14, false, text_size);
  draw_y_title(svg, spectrogram, "frequency in Hz");
  draw_x_axis(svg, spectrogram, time_axis, time, false, text_size);
  draw_colour_bar(svg, bar_of(spectrogram), r.decibels, bitmaps.decibel_colours, "dB");

  draw_heading(
      svg, mel, "Mel spectrogram",
      fmt::format(
          "{} bands from {} to {} Hz, {} scale{}", options.n_mels, rounded(options.fmin, 1),
          grouped(std::llround(options.highest_frequency())), options.mel_scale,
          options.power == 2 ? "" : fmt::format(", |STFT| to the power {}", number_text(options.power))),
      122);
  put_image(svg, mel, bitmaps.mel, r.mel.height);
  draw_mel_axis(svg, mel, options);
  draw_y_title(svg, mel, "band centre in Hz");
  draw_x_axis(svg, mel, time_axis, time, false, text_size);
  draw_colour_bar(svg, bar_of(mel), r.mel_decibels, bitmaps.decibel_colours, "dB");

  draw_heading(
      svg, mfcc, "MFCC",
      r.coefficient_count == 1
          ? "1 coefficient"
          : fmt::format("{} coefficients; coefficient 0, the level, has its own scale: {} to {}",
                        r.coefficient_count, plot::decimal(r.first.low, 0), plot::decimal(r.first.high, 0)),
      48);
  put_image(svg, mfcc, bitmaps.mfcc, r.mfcc.height);
  draw_mfcc_axis(svg, mfcc, r, 20, text_size);
  draw_y_title(svg, mfcc, "coefficient");
  draw_x_axis(svg, mfcc, time_axis, time, true, text_size);
  draw_colour_bar(svg, bar_of(mfcc), r.coefficients, bitmaps.coefficient_colours, "value");
  svg.text(mfcc.x + mfcc.width / 2, mfcc.y + mfcc.height + 34, clock ? "time in min:s" : "time in s",
           {.size = text_size, .anchor = "middle", .fill = "#666"});
  return svg.finish();
}

std::string small_feature_picture(const FeatureOptions& options, std::span<const float> samples,
                                  std::string_view title, std::string_view description) {
  constexpr double size = 9;
  const Panel spectrogram{38, 26, 272, 92}, mfcc{38, 128, 272, 44};
  const auto r = feature_rasters(options, samples,
                                 {int(spectrogram.width), int(spectrogram.height), 1, int(mfcc.height)});
  const auto bitmaps = encode_all(r, false, 14'500);
  Svg svg(320, 200, description);
  svg.text(spectrogram.x, 17, plot::shortened(title, 34), {.size = 13, .fill = "#111", .bold = true});
  const Range time{0, double(samples.size()) / options.sample_rate};
  const auto ticks = plot::time_ticks(0, time.high, 6);
  const auto name = [&](const Panel& p, std::string_view text) {
    svg.text(9, p.y + p.height / 2, text, {.size = size, .anchor = "middle", .fill = "#666", .turned = -90});
  };
  put_image(svg, spectrogram, bitmaps.spectrogram, r.spectrogram.height);
  draw_spectrogram_axis(svg, spectrogram, r, 12, true, size);
  draw_x_axis(svg, spectrogram, ticks, time, false, size);
  name(spectrogram, "Hz");
  put_image(svg, mfcc, bitmaps.mfcc, r.mfcc.height);
  draw_mfcc_axis(svg, mfcc, r, 18, size);
  draw_x_axis(svg, mfcc, ticks, time, true, size);
  name(mfcc, "MFCC");
  svg.text(mfcc.x + mfcc.width, 197, "time in s", {.size = size, .anchor = "end", .fill = "#666"});
  return svg.finish();
}

}  // namespace timbre::pictures
