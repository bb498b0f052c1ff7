// Augmentation of the training part (`augmentation:` of a configuration). What is made of a segment never leaves the training
// part: it exists for one step only.
#pragma once

#include <optional>

#include "config/schema.hpp"
#include "core/shape.hpp"
#include "training/spec_augment.hpp"

namespace timbre::training {

struct AugmentationOptions {
  std::optional<SpecAugmentOptions> spec_augment;
};
const config::Schema<AugmentationOptions>& schema(config::of<AugmentationOptions>);

/// Throws RequestError about `augmentation` where it does not fit features of this shape, or features that are not standardised.
void require_fitting(const AugmentationOptions& options, const Shape& features, bool standardised);

}  // namespace timbre::training
