// Losses. A loss reads logits [rows, classes] and labels, and gives the loss of each row and the gradient of
// their mean.
#pragma once

#include <cstdint>
#include <memory>

#include "config/schema.hpp"
#include "core/registry.hpp"

namespace timbre::training {

class Loss {
 public:
  virtual ~Loss() = default;
  virtual config::Node dump() const = 0;
  /// losses [rows]: the loss of each row. gradient [rows, classes]: d(mean over rows)/d(logits); may be nullptr.
  /// probabilities [rows, classes]: softmax of the logits; may be nullptr. Neither may overlap logits.
  virtual void evaluate(const float* logits, const std::int32_t* labels, std::int64_t rows,
                        std::int64_t classes, float* losses, float* gradient, float* probabilities) const = 0;
};

struct LossType {
  std::string summary, options;
  std::unique_ptr<Loss> (*parse)(const config::Reader& reader);
};
using LossRegistry = Registry<LossType>;

/// `loss:` of a configuration: a name, or {name: options}.
std::unique_ptr<Loss> parse_loss(const config::Reader& reader);

}  // namespace timbre::training
