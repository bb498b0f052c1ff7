#include "features/zero_crossing_rate.hpp"

#include <algorithm>

#include "config/schema.hpp"
#include "features/cpu_feature.hpp"
#include "features/engine.hpp"
#include "features/own_options.hpp"

namespace timbre::features {

const config::Schema<ZeroCrossingRateOptions>& schema(config::of<ZeroCrossingRateOptions>) {
  using O = ZeroCrossingRateOptions;
  static const auto s =
      config::Schema<O>("how often the signal changes its sign")
          .field("frame_length", &O::frame_length, "length of a frame", config::between(1, 1 << 17))
          .unit("samples")
          .field("threshold", &O::threshold, "samples that are no larger count as 0", config::at_least(0.0))
          .later_field("ref_magnitude", &O::ref_magnitude, "what threshold is a share of. null: of 1",
                       config::at_least(0.0))
          .field("pad", &O::pad, "whether the first sample of a frame counts as a crossing")
          .field("zero_pos", &O::zero_pos, "whether 0 counts as positive. false: as a sign of its own");
  return s;
}

namespace {

class ZeroCrossingRate final : public CpuFeature {
 public:
  ZeroCrossingRate(const FeatureOptions& options, std::int64_t samples)
      : o_(options.own_as<ZeroCrossingRateOptions>()),
        samples_(samples),
        frames_(frame_count(options, samples)),
        hop_(options.hop_length),
        pad_(options.center ? o_.frame_length / 2 : 0),
        crossings_(static_cast<std::size_t>(samples) + 1) {}

  void read(const float* segment, float* out) override {
    const double threshold = o_.threshold * o_.ref_magnitude.value_or(1.0);
    // Of each sign a number; where 0 counts as positive, they have the same.
    const auto sign = [&](float x) {
      if (double(x) > threshold) return 1;
      return double(x) < -threshold ? -1 : o_.zero_pos ? 1 : 0;
    };
    // crossings_[i]: at samples 1 ... i - 1. The ends continue without a crossing.
    crossings_[1] = 0;
    for (std::int64_t i = 1; i < samples_; ++i)
      crossings_[std::size_t(i) + 1] =
          crossings_[std::size_t(i)] + (sign(segment[i]) != sign(segment[i - 1]) ? 1 : 0);
    const auto before = [&](std::int64_t end) {
      return crossings_[std::size_t(std::clamp<std::int64_t>(end, 1, samples_))];
    };
    for (std::int64_t t = 0; t < frames_; ++t) {
      const auto begin = t * hop_ - pad_;
      const auto count = before(begin + o_.frame_length) - before(begin + 1) + (o_.pad ? 1 : 0);
      out[t] = static_cast<float>(double(count) / o_.frame_length);
    }
  }

 private:
  ZeroCrossingRateOptions o_;
  std::int64_t samples_, frames_, hop_, pad_;
  std::vector<std::int64_t> crossings_;
};

const OwnRegistration<ZeroCrossingRateOptions> options;
const Registration<FeatureType> registration{
    "zero_crossing_rate",
    {.summary = "how often the signal changes its sign, as a share of a frame's samples",
     .keys = {"hop_length", "center"},
     .source = FeatureType::Source::samples,
     .width = [](const FeatureOptions&) -> std::int64_t { return 1; },
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<CpuFeature> {
       return std::make_unique<ZeroCrossingRate>(o, samples);
     },
     .frame_size = [](const FeatureOptions& o) -> std::int64_t {
       return o.own_as<ZeroCrossingRateOptions>().frame_length;
     }}};

}  // namespace
}  // namespace timbre::features
