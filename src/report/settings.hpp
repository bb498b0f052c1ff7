// What configurations differ in, and how their settings are said in few words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"

namespace timbre::report {

/// Whether two nodes say the same; an absent node (nullptr) is as null.
bool same(const config::Node* a, const config::Node* b);

/// The node at a dotted, indexed path ("model[0].lstm.units"), or nullptr.
const config::Node* at(const config::Node& root, std::string_view path);

/// The lowest paths at which the configurations differ, in the order of the documents. A path stops where the
/// documents part in kind: one optimizer or another, early stopping or none, models of different length.
/// Where regularisation.dropout differs, the rates of dropout layers that follow from it are left out.
std::vector<std::string> differing(const std::vector<const config::Node*>& roots);

/// A node in YAML's flow style, as it may stand after `--set KEY=`.
std::string flow(const config::Node* node);

/// Short texts for the values at one path, in the order given: "0.001", "off", "patience 20", "adam"; where
/// short texts would hide a difference, flow style.
std::vector<std::string> short_texts(const std::vector<const config::Node*>& values);

/// Names of the keys that are as short as they can be without two being the same: "l2", "dropout".
std::vector<std::string> short_names(const std::vector<std::string>& keys);

/// --set KEY=VALUE for everything in which `root` differs from `reference`, quoted for a shell.
std::string overrides(const config::Node& reference, const config::Node& root);

}  // namespace timbre::report
