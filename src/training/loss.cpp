#include "training/loss.hpp"

namespace timbre::training {

std::unique_ptr<Loss> parse_loss(const config::Reader& reader) {
  const auto choice = reader.choice("loss", LossRegistry::instance().names());
  return LossRegistry::instance().find(choice.name)->parse(choice.options());
}

}  // namespace timbre::training
