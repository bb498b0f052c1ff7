#include "features/rms.hpp"

#include <cmath>

#include "config/schema.hpp"
#include "core/simd.hpp"
#include "features/cpu_feature.hpp"
#include "features/engine.hpp"
#include "features/own_options.hpp"
#include "features/sums.hpp"

namespace timbre::features {

const config::Schema<RmsOptions>& schema(config::of<RmsOptions>) {
  static const auto s =
      config::Schema<RmsOptions>("the root of the mean square of a frame's samples")
          .field("frame_length", &RmsOptions::frame_length, "length of a frame", config::between(1, 1 << 17))
          .unit("samples");
  return s;
}

namespace {

class Rms final : public CpuFeature {
 public:
  Rms(const FeatureOptions& options, std::int64_t samples)
      : samples_(samples),
        frames_(frame_count(options, samples)),
        size_(options.own_as<RmsOptions>().frame_length),
        hop_(options.hop_length),
        pad_(options.center ? size_ / 2 : 0),
        pad_mode_(padding_of(options.pad_mode)),
        frame_(static_cast<std::size_t>(size_)) {}

  void read(const float* segment, float* out) override {
    for (std::int64_t t = 0; t < frames_; ++t) {
      const auto begin = t * hop_ - pad_;
      const float* x = segment + begin;
      if (begin < 0 || begin + size_ > samples_) {
        copy_padded(segment, samples_, begin, size_, pad_mode_, frame_.data());
        x = frame_.data();
      }
      const double sum = vectorised(
          [&] { return sum_of(size_, [&](std::int64_t i) { return double(x[i]) * double(x[i]); }); });
      out[t] = static_cast<float>(std::sqrt(sum / double(size_)));
    }
  }

 private:
  std::int64_t samples_, frames_, size_, hop_, pad_;
  Padding pad_mode_;
  AlignedFloats frame_;
};

const OwnRegistration<RmsOptions> options;
const Registration<FeatureType> registration{
    "rms",
    {.summary = "the root of the mean square of a frame's samples: its level",
     .keys = {"hop_length", "center", "pad_mode"},
     .source = FeatureType::Source::samples,
     .width = [](const FeatureOptions&) -> std::int64_t { return 1; },
     .make_cpu = [](const FeatureOptions& o, std::int64_t samples) -> std::unique_ptr<CpuFeature> {
       return std::make_unique<Rms>(o, samples);
     },
     .frame_size = [](const FeatureOptions& o) -> std::int64_t {
       return o.own_as<RmsOptions>().frame_length;
     }}};

}  // namespace
}  // namespace timbre::features
