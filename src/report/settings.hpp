// The settings in which configurations differ, and how one setting follows from another.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace timbre::report {

using config::at, config::flow, config::same, config::short_names, config::short_texts;

/// The lowest paths at which the configurations differ, in the order of the documents. A path stops where the
/// documents part in kind: one optimizer or another, early stopping or none, models of different length.
/// Where regularisation.dropout differs, the rates of dropout layers that follow from it are left out.
std::vector<std::string> differing(const std::vector<const config::Node*>& roots);

/// --set KEY=VALUE for everything in which `root` differs from `reference`, quoted for a shell.
std::string overrides(const config::Node& reference, const config::Node& root);

}  // namespace timbre::report
