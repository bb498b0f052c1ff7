#include "experiment/genre_examples.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "audio/decode.hpp"
#include "audio/synthetic.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "experiment/command_line.hpp"
#include "experiment/feature_picture.hpp"

namespace timbre::experiment {
namespace {

/// Segments of minutes would show nothing of the sounds in them.
constexpr double longest_seconds = 30;

/// The samples of the first segment, or nothing where the clip has none or cannot be read.
std::optional<std::vector<float>> first_segment(const Plan& plan, const data::Clip& clip) {
  const auto count = static_cast<std::size_t>(plan.segment_samples);
  if (plan.clips.synthetic) {
    auto samples = audio::synthesize(*plan.config.dataset.synthetic, clip.label, clip.number);
    if (samples.size() < count) return std::nullopt;
    samples.resize(count);
    return samples;
  }
  try {
    audio::AudioReader reader(clip.file, plan.config.features.sample_rate);
    std::vector<float> samples(count);
    if (reader.read(samples) < count) return std::nullopt;
    return samples;
  } catch (const Error&) {
    return std::nullopt;  // the run itself lists its bad files
  }
}

}  // namespace

std::vector<FeaturePicture> genre_examples(const Plan& plan) {
  const auto& features = plan.config.features;
  const auto shown =
      std::min<std::int64_t>(plan.segment_samples, std::llround(longest_seconds * features.sample_rate));
  std::vector<FeaturePicture> out;
  for (std::size_t label = 0; label < plan.clips.label_names.size(); ++label) {
    for (const auto& clip : plan.clips.clips) {  // sorted by path
      if (clip.label != std::int32_t(label)) continue;
      throw_if_stopped();
      auto samples = first_segment(plan, clip);
      if (!samples) continue;
      if (features::frame_count(features, shown) > 0) samples->resize(std::size_t(shown));
      const auto& genre = plan.clips.label_names[label];
      auto alt =
          fmt::format("{}: spectrogram and MFCCs of the first {} s of {}", genre,
                      number_text(double(samples->size()) / features.sample_rate), printable(clip.path));
      auto svg = small_feature_picture(features, *samples, genre, alt);
      out.push_back({genre, std::move(alt), std::move(svg)});
      break;
    }
  }
  return out;
}

}  // namespace timbre::experiment
