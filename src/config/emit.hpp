// What the tests compare config::to_yaml with.
#pragma once

#include <string>

#include "config/node.hpp"

namespace timbre::config {

/// The same bytes as to_yaml, slowly: all of them by yaml-cpp.
std::string to_yaml_by_library(const Node& node);

}  // namespace timbre::config
