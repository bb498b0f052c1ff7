#include "features/options.hpp"

#include "audio/decode.hpp"
#include "config/schema.hpp"
#include "core/error.hpp"
#include "features/engine.hpp"
#include "features/window.hpp"

namespace timbre::features {

using config::at_least;
using config::between;
using config::one_of;
using config::Rule;

namespace {

template <class T>
Rule<std::optional<T>> when_given(Rule<T> rule) {
  return {[rule](const std::optional<T>& v) { return !v || rule.holds(*v); }, rule.text};
}

}  // namespace

const config::Schema<FeatureOptions>& schema(config::of<FeatureOptions>) {
  // Upper limits keep products of sizes far from overflow, and work space in the range of megabytes.
  static const auto s =
      config::Schema<FeatureOptions>("features of a segment, librosa's names and defaults")
          .field("kind", &FeatureOptions::kind, "what is extracted",
                 one_of(FeatureRegistry::instance().names()))
          .field("sample_rate", &FeatureOptions::sample_rate, "Hz; files are resampled to it",
                 between(audio::lowest_sample_rate, audio::highest_sample_rate))
          .field("n_fft", &FeatureOptions::n_fft, "samples of a frame", between(2, 1 << 17))
          .field("hop_length", &FeatureOptions::hop_length, "samples from frame to frame",
                 between(1, 1 << 20))
          .field("win_length", &FeatureOptions::win_length, "samples of the window; null: n_fft",
                 when_given(at_least(1)))
          .field("window", &FeatureOptions::window, "window function", one_of(window_names()))
          .field("center", &FeatureOptions::center,
                 "pad, so that frame t is centred on sample t * hop_length")
          .field("pad_mode", &FeatureOptions::pad_mode, "how, if centred",
                 one_of({"constant", "reflect", "edge"}))
          .field("power", &FeatureOptions::power, "exponent of the magnitude", between(0.01, 8.0))
          .field("n_mels", &FeatureOptions::n_mels, "mel bands", between(1, 4096))
          .field("fmin", &FeatureOptions::fmin, "lowest frequency of the mel bands, Hz", at_least(0.0))
          .field("fmax", &FeatureOptions::fmax, "highest; null: sample_rate / 2", when_given(at_least(0.0)))
          .field("mel_scale", &FeatureOptions::mel_scale, "mel formula", one_of({"slaney", "htk"}))
          .field("norm", &FeatureOptions::norm, "scaling of the mel bands", one_of({"slaney", "none"}))
          .field("n_mfcc", &FeatureOptions::n_mfcc, "coefficients", between(1, 4096))
          .field("top_db", &FeatureOptions::top_db, "decibels kept below a segment's maximum; null: all",
                 when_given(at_least(0.0)))
          .field("standardise", &FeatureOptions::standardise,
                 "per coefficient, with mean and deviation of the training rows")
          .check(problem_with);
  return s;
}

std::string problem_with(const FeatureOptions& o) {
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

std::string extraction_key(const FeatureOptions& options) {
  auto node = schema(config::of<FeatureOptions>{}).dump(options);
  node.erase("standardise");
  // Left out and written out, these give the same numbers.
  node.set("win_length", config::Node::plain(fmt::format("{}", options.window_samples())));
  node.set("fmax", config::Node::plain(number_text(options.highest_frequency())));
  return fmt::format("feature version {}\n{}", feature_version, config::to_yaml(node));
}

}  // namespace timbre::features
