// Weights of classes in the training loss, as Keras's class_weight: the loss of a segment, and its gradient, are multiplied by
// the weight of its class; means still divide by the number of segments. Validation and test are not weighted.
//
//   balanced        segments / (classes * segments of the class), of the training part, as scikit-learn's
//   {rock: 2, ...}  given ones; classes that are not named have 1
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/schema.hpp"

namespace timbre::training {

/// `class_weights:` of a configuration.
struct ClassWeights {
  bool balanced = false;
  std::vector<std::pair<std::string, double>> given;  // by name, as it was written
  static ClassWeights from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

/// [classes]. labels: of the training rows. Throws RequestError about training.class_weights for a name that is no class.
std::vector<float> weights_of(const ClassWeights& weights, const std::vector<std::string>& names,
                              std::span<const std::int32_t> labels);

}  // namespace timbre::training
