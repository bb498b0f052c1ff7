// Losses. A loss reads logits [rows, classes] and labels, and gives the loss of each row and the gradient of
// their mean.
#pragma once

#include <cstdint>

#include "config/part.hpp"

namespace timbre::training {

class Loss {
 public:
  static constexpr auto kind = "loss";
  virtual ~Loss() = default;
  virtual OptionsRef options() const = 0;
  virtual config::Node dump() const = 0;
  /// losses [rows]: the loss of each row. gradient [rows, classes]: d(mean over rows)/d(logits); may be nullptr.
  /// probabilities [rows, classes]: softmax of the logits; may be nullptr. Neither may overlap logits.
  virtual void evaluate(const float* logits, const std::int32_t* labels, std::int64_t rows,
                        std::int64_t classes, float* losses, float* gradient, float* probabilities) const = 0;
};
using LossRegistry = config::PartRegistry<Loss>;
/// `loss:` of a configuration.
using LossChoice = config::Part<Loss>;

}  // namespace timbre::training
