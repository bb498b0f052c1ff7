// What layers share in describing themselves: the entry of the registry, and the pieces of Keras's configurations that
// Keras 2 and 3 both load (no "module" keys, no initialisers).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/part.hpp"
#include "core/error.hpp"
#include "nn/layer.hpp"
#include "nn/layer_op.hpp"

namespace timbre::nn {

/// Registers L, a layer that is made from its options and the number of classes.
template <class L, class Options>
struct LayerRegistration {
  explicit LayerRegistration(std::vector<LayerExample> examples) {
    LayerRegistry::instance().add(
        Options::part, {[] { return schema(config::of<Options>{}).describe(); },
                        [](const config::Reader& reader, std::int64_t classes) -> std::unique_ptr<Layer> {
                          return std::make_unique<L>(schema(config::of<Options>{}).parse(reader), classes);
                        },
                        std::move(examples)});
  }
};

/// Keras's L1L2, or null.
inline nlohmann::ordered_json keras_regularizer(const std::optional<Penalty>& penalty) {
  if (!penalty) return nullptr;
  return {{"class_name", "L1L2"}, {"config", {{"l1", penalty->l1}, {"l2", penalty->l2}}}};
}

}  // namespace timbre::nn
