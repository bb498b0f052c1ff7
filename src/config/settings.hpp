// Values of a configuration as a person would name them, compared and said in few words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"

namespace timbre::config {

/// Whether two nodes say the same; an absent node (nullptr) is as null.
bool same(const Node* a, const Node* b);

/// Whether there is no map in it to go into.
bool is_leaf(const Node& node);

/// The node at a dotted, indexed path ("model[0].lstm.units"), or nullptr.
const Node* at(const Node& root, std::string_view path);

/// A node in YAML's flow style, fit to follow `--set KEY=`.
std::string flow(const Node* node);

/// Short texts for the values at one path, in the order given: "0.001", "off", "patience 20", "adam"; where
/// short texts would hide a difference, flow style: "features: {mixup: {alpha: 0.2}}".
std::vector<std::string> short_texts(const std::vector<const Node*>& values);

/// Names of the keys that are as short as they can be without two being the same: "l2", "dropout".
std::vector<std::string> short_names(const std::vector<std::string>& keys);

}  // namespace timbre::config
