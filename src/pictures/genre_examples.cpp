#include "pictures/genre_examples.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "audio/decode.hpp"
#include "audio/synthetic.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/text.hpp"
#include "pictures/feature_picture.hpp"

namespace timbre::pictures {
namespace {

/// Segments of minutes would show nothing of the sounds in them.
constexpr double longest_seconds = 30;

struct Source {
  const data::ClipIndex& clips;
  const data::DatasetOptions& dataset;
  int sample_rate;
  std::int64_t segment_samples;
};

/// The samples of the first segment, or nothing where the clip has none or cannot be read.
std::optional<std::vector<float>> first_segment(const Source& source, const data::Clip& clip) {
  const auto count = static_cast<std::size_t>(source.segment_samples);
  if (source.clips.synthetic) {
    auto samples = audio::synthesize(*source.dataset.synthetic, clip.genre, clip.number);
    if (samples.size() < count) return std::nullopt;
    samples.resize(count);
    return samples;
  }
  try {
    audio::AudioReader reader(clip.file, source.sample_rate);
    std::vector<float> samples(count);
    if (reader.read(samples) < count) return std::nullopt;
    return samples;
  } catch (const Error&) {
    return std::nullopt;  // the run itself lists its bad files
  }
}

}  // namespace

std::vector<FeaturePicture> genre_examples(const data::ClipIndex& clips, const data::DatasetOptions& dataset,
                                           const features::FeatureOptions& features) {
  if (clips.external) return {};  // of features from elsewhere there is no sound
  const Source source{clips, dataset, int(features.sample_rate),
                      dataset.segment_samples(features.sample_rate)};
  const auto shown =
      std::min<std::int64_t>(source.segment_samples, std::llround(longest_seconds * features.sample_rate));
  std::vector<FeaturePicture> out;
  for (std::size_t label = 0; label < clips.label_names.size(); ++label) {
    for (const auto& clip : clips.clips) {  // sorted by path
      if (clip.label != std::int32_t(label)) continue;
      throw_if_stopped();
      auto samples = first_segment(source, clip);
      if (!samples) continue;
      if (features::frame_count(features, shown) > 0) samples->resize(std::size_t(shown));
      const auto& genre = clips.label_names[label];
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

}  // namespace timbre::pictures
