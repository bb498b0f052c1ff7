// Augmentation of the training part (`augmentation:` of a configuration). What is made of a segment never leaves the training
// part: it exists for one step only, or, as a copy of its sound, beside the segment.
#pragma once

#include <optional>

#include "audio/waveform.hpp"
#include "config/schema.hpp"
#include "core/shape.hpp"
#include "training/mixup.hpp"
#include "training/spec_augment.hpp"

namespace timbre::training {

/// What the network sees of a segment: training takes a random window, anew at each step; validation, test and predictions take
/// the one in the middle. It is the layer random_crop, before the others.
struct CropOptions {
  std::int64_t frames = 1;
};
const config::Schema<CropOptions>& schema(config::of<CropOptions>);

/// Of the features, in this order: segments are mixed, then stripes of them are hidden, then they are cropped.
struct FeatureAugmentationOptions {
  std::optional<MixupOptions> mixup;
  std::optional<SpecAugmentOptions> spec_augment;
  std::optional<CropOptions> crop;
};
const config::Schema<FeatureAugmentationOptions>& schema(config::of<FeatureAugmentationOptions>);

struct AugmentationOptions {
  std::optional<SpecAugmentOptions> spec_augment;  // short for that of the features
  std::optional<FeatureAugmentationOptions> features;
  std::optional<audio::WaveformOptions> waveform;  // of copies (data/waveform_copies.hpp)
  /// All of the features' augmentation, wherever it is written.
  FeatureAugmentationOptions of_features() const;
};
const config::Schema<AugmentationOptions>& schema(config::of<AugmentationOptions>);

/// Throws RequestError about `augmentation` where it does not fit features of this shape, or features that are not standardised.
void require_fitting(const AugmentationOptions& options, const Shape& features, bool standardised);

}  // namespace timbre::training
