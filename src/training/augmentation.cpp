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

const config::Schema<CropOptions>& schema(config::of<CropOptions>) {
  static const auto s =
      config::Schema<CropOptions>(
          "the network sees a window of each segment: at a random place in training, else in the middle")
          .required("frames", &CropOptions::frames, "frames of the window",
                    config::between(std::int64_t{1}, std::int64_t{1'000'000}))
          .unit("frames")
          .shorthand();
  return s;
}

const config::Schema<FeatureAugmentationOptions>& schema(config::of<FeatureAugmentationOptions>) {
  static const auto s =
      config::Schema<FeatureAugmentationOptions>("changes of segments' features, others in each step")
          .later_field(
              "mixup", &FeatureAugmentationOptions::mixup,
              "mixup: segments of a batch, and their labels, are mixed. {} for the defaults, null: none")
          .later_field(
              "spec_augment", &FeatureAugmentationOptions::spec_augment,
              "SpecAugment: stripes in time and frequency are hidden. {} for the defaults, null: none")
          .later_field("crop", &FeatureAugmentationOptions::crop,
                       "random windows in time; validation, test and predictions see the middle. null: whole "
                       "segments");
  return s;
}

const config::Schema<AugmentationOptions>& schema(config::of<AugmentationOptions>) {
  static const auto s =
      config::Schema<AugmentationOptions>("changes of the training part alone")
          .field("spec_augment", &AugmentationOptions::spec_augment,
                 "short for features.spec_augment. null: as that says")
          .later_field("features", &AugmentationOptions::features,
                       "what is done to the features of a segment, anew in each step. null: nothing")
          .later_field("waveform", &AugmentationOptions::waveform,
                       "copies of the training part's segments with another sound, made once. null: none")
          .check([](const AugmentationOptions& o) {
            return o.spec_augment && o.features && o.features->spec_augment
                       ? "says spec_augment twice: at its short place, and in features"
                       : "";
          });
  return s;
}

FeatureAugmentationOptions AugmentationOptions::of_features() const {
  auto all = features.value_or(FeatureAugmentationOptions{});
  if (spec_augment) all.spec_augment = spec_augment;
  return all;
}

void require_fitting(const AugmentationOptions& options, const Shape& features, bool standardised) {
  const auto all = options.of_features();
  auto frames = features[0];
  if (all.crop) {
    const std::string crop = "augmentation.features.crop";
    if (features.rank() != 2)
      fail_at(crop, "needs features of frames and coefficients, not of shape {}", features.str());
    if (all.crop->frames > frames)
      fail_at(crop + ".frames", "{} frames do not fit into a segment of {}", all.crop->frames, frames);
    frames = all.crop->frames;
  }
  const auto& o = all.spec_augment;
  if (!o) return;
  const std::string at =
      options.spec_augment ? "augmentation.spec_augment" : "augmentation.features.spec_augment";
  if (features.rank() != 2)
    fail_at(at, "needs features of frames and coefficients, not of shape {}", features.str());
  if (!standardised)
    fail_at(at,
            "hides values by 0, which is the mean of standardised features alone: set features.standardise: "
            "true");
  if (o->time_width >= frames)
    fail_at(at + ".time_width", "{} frames leave nothing of a {} of {}", o->time_width,
            all.crop ? "window" : "segment", frames);
  if (o->frequency_width >= features[1])
    fail_at(at + ".frequency_width", "{} coefficients leave nothing of {}", o->frequency_width, features[1]);
}

}  // namespace timbre::training
