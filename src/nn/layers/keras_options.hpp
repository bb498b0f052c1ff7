// What layers share in describing themselves: the node {type: {options}} and the pieces of Keras's
// configurations that Keras 2 and 3 both load (no "module" keys, no initialisers).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "nn/layer.hpp"

namespace timbre::nn {

/// {type: {every option}}, as it stands in a resolved configuration.
template <class Options>
config::Node dump_layer(std::string_view type, const Options& options) {
  config::Node node = config::Node::map();
  node.set(std::string(type), schema(config::of<Options>{}).dump(options));
  return node;
}

/// The entry of a layer type in the registry.
template <class LayerClass, class Options>
LayerType layer_type(std::vector<LayerExample> examples) {
  const auto& s = schema(config::of<Options>{});
  return {s.summary(), s.document(), parse_layer<LayerClass, Options>, std::move(examples)};
}

/// Keras's L1L2, or null.
inline nlohmann::ordered_json keras_regularizer(const std::optional<Penalty>& penalty) {
  if (!penalty) return nullptr;
  return {{"class_name", "L1L2"}, {"config", {{"l1", penalty->l1}, {"l2", penalty->l2}}}};
}

}  // namespace timbre::nn
