#include "features/engine.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::features {

namespace {
constexpr std::int64_t largest = std::int64_t{1} << 26;  // values of a segment, 256 MiB
}  // namespace

std::string feature_note(const FeatureOptions& options) {
  if (options.external) return "";
  const auto* type = FeatureRegistry::instance().find(options.kind);
  return type && type->note ? type->note(options) : "";
}

std::int64_t frame_count(const FeatureOptions& options, std::int64_t segment_samples) {
  if (segment_samples < 1) return 0;
  const std::int64_t padding = options.center ? 2 * (options.n_fft / 2) : 0;
  const std::int64_t room = segment_samples + padding - options.n_fft;
  return room < 0 ? 0 : 1 + room / options.hop_length;
}

Shape feature_shape(const FeatureOptions& options, std::int64_t segment_samples) {
  if (const auto wrong = problem_with(options); !wrong.empty()) fail_at("features", "{}", wrong);
  if (const auto& e = options.external) {
    if (!e->frames || !e->width) fail_at("features.external", "frames and width are not known yet");
    if (*e->frames > largest / *e->width)
      fail_at("features.external", "one segment would have {} x {} values; frames: N crops it",
              grouped(*e->frames), grouped(*e->width));
    return {*e->frames, *e->width};
  }
  const auto frames = frame_count(options, segment_samples);
  if (frames == 0)
    fail_at("features", "a segment of {} samples is shorter than one frame of n_fft {} without center",
            segment_samples, options.n_fft);
  const auto width = FeatureRegistry::instance().find(options.kind)->width(options);
  if (frames > largest / width)
    fail_at("features", "one segment would give {} x {} values; a larger hop_length or shorter segments help",
            grouped(frames), grouped(width));
  return {frames, width};
}

std::unique_ptr<FeatureEngine> make_cpu_feature_engine(const FeatureOptions& options,
                                                       std::int64_t segment_samples) {
  feature_shape(options, segment_samples);
  const auto* type = FeatureRegistry::instance().find(options.kind);
  if (!type->make_cpu) fail_at("features", "{} has no CPU implementation", options.kind);
  return type->make_cpu(options, segment_samples);
}

device::EngineMaker open_features(const std::string& device, const FeatureOptions& options,
                                  std::int64_t segment_samples) {
  if (options.external) fail("the model does not take audio: it takes {}", needs(*options.external));
  feature_shape(options, segment_samples);
  const auto [backend, number] = device::find(device);
  return backend->open_features(number, options, segment_samples);
}

}  // namespace timbre::features
