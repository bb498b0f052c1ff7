#include "training/optimizer.hpp"

namespace timbre::training {

std::unique_ptr<Optimizer> parse_optimizer(const config::Reader& reader) {
  const auto choice = reader.choice("optimizer", OptimizerRegistry::instance().names());
  return OptimizerRegistry::instance().find(choice.name)->parse(choice.options());
}

}  // namespace timbre::training
