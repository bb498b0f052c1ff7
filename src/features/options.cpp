#include "features/options.hpp"

#include "audio/decode.hpp"
#include "config/schema.hpp"
#include "core/error.hpp"
#include "features/engine.hpp"
#include "features/own_options.hpp"
#include "features/window.hpp"

namespace timbre::features {

using config::at_least;
using config::between;
using config::choice_of;
using config::one_of;

namespace {

/// The kinds that are registered, with what they say of themselves.
std::vector<config::Choice> kinds() {
  std::vector<config::Choice> out;
  for (const auto& name : FeatureRegistry::instance().names())
    out.push_back({name, FeatureRegistry::instance().find(name)->summary});
  return out;
}

}  // namespace

const config::Schema<FeatureOptions>& schema(config::of<FeatureOptions>) {
  // Upper limits keep products of sizes far from overflow, and work space in the range of megabytes.
  static const auto s =
      config::Schema<FeatureOptions>("what the network sees of a segment, with librosa's names and defaults")
          .field("kind", &FeatureOptions::kind, "what is extracted from a segment", choice_of(kinds()))
          .field("sample_rate", &FeatureOptions::sample_rate, "rate that files are resampled to",
                 between(audio::lowest_sample_rate, audio::highest_sample_rate))
          .unit("Hz")
          .field("n_fft", &FeatureOptions::n_fft, "length of a frame, and of its Fourier transform",
                 between(2, 1 << 17))
          .unit("samples")
          .field("hop_length", &FeatureOptions::hop_length, "distance from frame to frame",
                 between(1, 1 << 20))
          .unit("samples")
          .field("win_length", &FeatureOptions::win_length,
                 "length of the window in the middle of a frame. null: n_fft", at_least(1))
          .unit("samples")
          .field("window", &FeatureOptions::window, "window function (periodic, as SciPy's)",
                 one_of(window_names()))
          .field("center", &FeatureOptions::center,
                 "whether the segment is padded so that frame t is centred on sample t hop_length")
          .field("pad_mode", &FeatureOptions::pad_mode, "what a centred frame sees beyond the segment's ends",
                 choice_of({{"constant", "zeros"},
                            {"reflect", "the segment, mirrored"},
                            {"edge", "its first and last sample"}}))
          .field("power", &FeatureOptions::power,
                 "exponent of the spectrum's magnitude: 1 is amplitude, 2 is power", between(0.01, 8.0))
          .field("n_mels", &FeatureOptions::n_mels, "number of mel bands", between(1, 4096))
          .field("fmin", &FeatureOptions::fmin, "lowest frequency of the mel bands", at_least(0.0))
          .unit("Hz")
          .field("fmax", &FeatureOptions::fmax,
                 "highest frequency of the mel bands. null: half of sample_rate", at_least(0.0))
          .unit("Hz")
          .field("mel_scale", &FeatureOptions::mel_scale, "formula of the mel scale",
                 choice_of({{"slaney", "linear below 1 kHz, logarithmic above"},
                            {"htk", "2595 log10(1 + f / 700)"}}))
          .field("norm", &FeatureOptions::norm, "scaling of the mel bands",
                 choice_of(
                     {{"slaney", "each band has the same area"}, {"none", "each band has the same height"}}))
          .field("n_mfcc", &FeatureOptions::n_mfcc, "number of coefficients of mfcc", between(1, 4096))
          .field("top_db", &FeatureOptions::top_db,
                 "range of log_mel and mfcc: what is lower below the segment's maximum is raised to it. "
                 "null: no limit",
                 at_least(0.0))
          .unit("dB")
          .field("standardise", &FeatureOptions::standardise,
                 "whether each coefficient is brought to mean 0 and deviation 1 over the training part")
          .later_field("external", &FeatureOptions::external,
                       "a table of features that another program computed, instead of all that is extracted "
                       "from audio; standardise applies to it")
          .later_field(
              "delta", &FeatureOptions::delta,
              "1: the change of each coefficient over time is appended (librosa.feature.delta). 2: the "
              "change of that as well. null: neither",
              between(1, 2))
          .later_field("delta_width", &FeatureOptions::delta_width,
                       "frames over which a change is measured. null: 9",
                       config::Rule<int>{[](const int& v) { return v >= 3 && v <= 1023 && v % 2 == 1; },
                                         "an odd number between 3 and 1023",
                                         {.low = 3, .high = 1023}})
          .unit("frames")
          .later_field(
              "summary", &FeatureOptions::summary,
              "mean, std or both over the frames of a segment, instead of the frames. null: the frames",
              one_of({"mean", "std"}))
          .check([](const FeatureOptions& o) {
            return OwnRegistry::instance().find(o.kind) ? "" : problem_with(o);
          });
  return s;
}

namespace {

/// What is wrong with one kind.
std::string problem_with_part(const FeatureOptions& o) {
  if (o.window_samples() > o.n_fft)
    return fmt::format("win_length {} must not exceed n_fft {}", o.window_samples(), o.n_fft);
  const double nyquist = o.sample_rate / 2.0;
  const auto text = [](double v) { return number_text(v); };
  if (o.highest_frequency() > nyquist)
    return fmt::format("fmax {} must not exceed half the sample rate, {}", text(o.highest_frequency()),
                       text(nyquist));
  if (o.fmin >= o.highest_frequency())
    return fmt::format("fmin {} must be less than fmax {}", text(o.fmin), text(o.highest_frequency()));
  const auto* type = FeatureRegistry::instance().find(o.kind);
  if (!type)
    return fmt::format("no feature '{}'; known: {}", o.kind, join(FeatureRegistry::instance().names()));
  return type->check ? type->check(o) : "";
}

}  // namespace

std::string problem_with(const FeatureOptions& o) {
  if (o.external) {
    // A key that says something else than its default was meant to do something.
    const auto& s = schema(config::of<FeatureOptions>{});
    const auto given = s.dump(o), defaults = s.dump({});
    for (const auto& [name, value] : defaults.entries)
      if (name != "standardise" && config::to_yaml(*given.find(name)) != config::to_yaml(value))
        return fmt::format(
            "external and {} exclude each other: only standardise applies to features from elsewhere", name);
    for (const auto* name : {"delta", "delta_width", "summary"})
      if (given.find(name))
        return fmt::format("external and {} exclude each other{}", name,
                           given.find("summary") ? "; features.external.summary summarises a table" : "");
    return "";
  }
  if (const auto& names = o.summary)
    if (names->empty() || names->size() > 2 || (names->size() == 2 && (*names)[0] == (*names)[1]))
      return "summary names mean and std, each once";
  for (const auto& part : o.parts()) {
    if (auto wrong = problem_with_part(part); !wrong.empty())
      return o.stack.empty() ? wrong : fmt::format("{}: {}", part.kind, wrong);
    if (part.hop_length != o.parts().front().hop_length)
      return fmt::format("{} has the hop_length {} and {} has {}; the frames of stacked features are aligned",
                         o.parts().front().kind, o.parts().front().hop_length, part.kind, part.hop_length);
  }
  return "";
}

}  // namespace timbre::features
