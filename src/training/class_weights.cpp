#include "training/class_weights.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::training {

ClassWeights ClassWeights::from(const config::Reader& reader) {
  const auto& node = reader.node();
  if (node.is_scalar() && node.scalar == "balanced") return {true, {}};
  if (!node.is_map() || node.entries.empty())
    reader.fail("must be balanced, or a map from classes to weights, not " + config::describe(node));
  ClassWeights out;
  for (const auto& [name, value] : node.entries) {
    const double weight = reader.entry(name).number();
    if (!(weight >= 0 && weight <= 1e6))
      reader.entry(name).fail("must be between 0 and 1000000, not " + config::describe(value));
    out.given.emplace_back(name, weight);
  }
  return out;
}

config::Type ClassWeights::describe() {
  config::Type map{config::Type::Kind::names};
  map.items = {{config::Type::Kind::number}};
  return config::Type::either({config::Type::word({{"balanced",
                                                    "each class counts as much as any other, however many "
                                                    "segments it has"}}),
                               std::move(map)});
}

config::Node ClassWeights::dump() const {
  if (balanced) return config::Node::text("balanced");
  auto node = config::Node::map();
  for (const auto& [name, weight] : given) node.set(name, config::detail::number_node(weight));
  return node;
}

std::vector<float> weights_of(const ClassWeights& weights, const std::vector<std::string>& names,
                              std::span<const std::int32_t> labels) {
  std::vector<float> out(names.size(), 1.0f);
  if (weights.balanced) {
    std::vector<std::int64_t> count(names.size(), 0);
    for (const auto label : labels) ++count[std::size_t(label)];
    for (std::size_t c = 0; c < names.size(); ++c)
      if (count[c] > 0) out[c] = float(double(labels.size()) / (double(names.size()) * double(count[c])));
  }
  for (const auto& [name, weight] : weights.given) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
      fail_at("training.class_weights", "there is no class '{}'{}; classes: {}", printable(name),
              did_you_mean(name, names), printable(join(names)));
    out[std::size_t(at - names.begin())] = float(weight);
  }
  return out;
}

}  // namespace timbre::training
