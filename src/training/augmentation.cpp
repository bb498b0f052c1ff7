#include "training/augmentation.hpp"

#include "core/error.hpp"

namespace timbre::training {

const config::Schema<SpecAugmentOptions>& schema(config::of<SpecAugmentOptions>) {
  const auto count = config::between(std::int64_t{0}, std::int64_t{16});
  const auto width = config::between(std::int64_t{0}, std::int64_t{1'000'000});
  static const auto s =
      config::Schema<SpecAugmentOptions>("hides stripes of a segment's features, others in each step")
          .field("time_masks", &SpecAugmentOptions::time_masks, "stripes of steps in time", count)
          .field("time_width", &SpecAugmentOptions::time_width, "steps that a stripe hides, at most", width)
          .unit("frames")
          .field("frequency_masks", &SpecAugmentOptions::frequency_masks, "stripes of coefficients", count)
          .field("frequency_width", &SpecAugmentOptions::frequency_width,
                 "coefficients that a stripe hides, at most", width);
  return s;
}

const config::Schema<AugmentationOptions>& schema(config::of<AugmentationOptions>) {
  static const auto s =
      config::Schema<AugmentationOptions>("changes of the training part alone, others in each step")
          .field("spec_augment", &AugmentationOptions::spec_augment,
                 "SpecAugment: stripes in time and frequency are hidden. {} for the defaults, null: none");
  return s;
}

void require_fitting(const AugmentationOptions& options, const Shape& features, bool standardised) {
  const auto& o = options.spec_augment;
  if (!o) return;
  if (features.rank() != 2)
    fail_at("augmentation.spec_augment", "needs features of frames and coefficients, not of shape {}",
            features.str());
  if (!standardised)
    fail_at("augmentation.spec_augment",
            "hides values by 0, which is the mean of standardised features alone: set features.standardise: "
            "true");
  if (o->time_width >= features[0])
    fail_at("augmentation.spec_augment.time_width", "{} frames leave nothing of a segment of {}",
            o->time_width, features[0]);
  if (o->frequency_width >= features[1])
    fail_at("augmentation.spec_augment.frequency_width", "{} coefficients leave nothing of {}",
            o->frequency_width, features[1]);
}

}  // namespace timbre::training
