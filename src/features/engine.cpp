#include "features/engine.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::features {

namespace {
constexpr std::int64_t largest = std::int64_t{1} << 26;  // values of a segment, 256 MiB
}  // namespace

const std::vector<std::string>& transform_keys() {
  static const std::vector<std::string> keys{"n_fft",  "hop_length", "win_length",
                                             "window", "center",     "pad_mode"};
  return keys;
}

const std::vector<std::string>& mel_keys() {
  static const auto keys = [] {
    auto out = transform_keys();
    for (const auto* key : {"power", "n_mels", "fmin", "fmax", "mel_scale", "norm"}) out.push_back(key);
    return out;
  }();
  return keys;
}

std::string feature_note(const FeatureOptions& options) {
  if (options.external) return "";
  for (const auto& part : options.parts()) {
    const auto* type = FeatureRegistry::instance().find(part.kind);
    if (!type || !type->note) continue;
    if (auto note = type->note(part); !note.empty()) return note;
  }
  return "";
}

std::string device_note(const std::string& device, const FeatureOptions& options) {
  if (options.external) return "";
  const auto* backend = device::find(device).backend;
  return backend->feature_note ? backend->feature_note(options) : "";
}

std::string computed_on(const std::string& device, const FeatureOptions& options) {
  return device_note(device, options).empty() ? device : "cpu";
}

std::int64_t frame_count(const FeatureOptions& options, std::int64_t segment_samples) {
  if (segment_samples < 1) return 0;
  const auto* type = FeatureRegistry::instance().find(options.kind);
  const std::int64_t size = type && type->frame_size ? type->frame_size(options) : options.n_fft;
  const std::int64_t padding = options.center ? 2 * (size / 2) : 0;
  const std::int64_t room = segment_samples + padding - size;
  return room < 0 ? 0 : 1 + room / options.hop_length;
}

std::int64_t width_of(const FeatureOptions& part) {
  return FeatureRegistry::instance().find(part.kind)->width(part);
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
  std::int64_t frames = 0, width = 0;
  for (const auto& part : options.parts()) {
    const auto count = frame_count(part, segment_samples);
    const auto* type = FeatureRegistry::instance().find(part.kind);
    if (count == 0)
      fail_at("features", "a segment of {} samples is shorter than one frame of {} {} without center",
              segment_samples, type->frame_size ? "frame_length" : "n_fft",
              type->frame_size ? type->frame_size(part) : part.n_fft);
    if (frames > 0 && count != frames)
      fail_at("features", "{} has {} frames of a segment and {} has {}; stacked features need as many",
              options.parts().front().kind, frames, part.kind, count);
    if (part.delta_orders() > 0 && count < part.delta_frames())
      fail_at("features", "delta of {} needs {} frames (delta_width), and a segment of {} samples has {}",
              part.kind, part.delta_frames(), segment_samples, count);
    frames = count;
    width += width_of(part) * (1 + part.delta_orders());
  }
  if (frames > largest / width)
    fail_at("features", "one segment would give {} x {} values; a larger hop_length or shorter segments help",
            grouped(frames), grouped(width));
  if (options.summary && !options.summary->empty()) return {1, width * std::ssize(*options.summary)};
  return {frames, width};
}

void require_whole_clips(const FeatureOptions& options, bool whole) {
  if (whole || options.external) return;
  for (const auto& part : options.parts())
    if (const auto& why = FeatureRegistry::instance().find(part.kind)->whole_clips; !why.empty())
      fail_at("features", "{} is taken of whole clips alone (dataset.segment.seconds: whole): {}", part.kind,
              why);
}

device::EngineMaker open_features(const std::string& device, const FeatureOptions& options,
                                  std::int64_t segment_samples) {
  if (options.external) fail("the model does not take audio: it takes {}", needs(*options.external));
  feature_shape(options, segment_samples);
  const auto [backend, number] = device::find(computed_on(device, options));
  return backend->open_features(number, options, segment_samples);
}

}  // namespace timbre::features
