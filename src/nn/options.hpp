// What the options of several layers share. Plain structs without fmt or yaml-cpp: every device includes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/forward.hpp"

namespace timbre::nn {

/// Penalty l1 * sum|w| + l2 * sum w^2 (no half), as Keras's L1L2.
struct Penalty {
  double l1 = 0, l2 = 0;
};
const config::Schema<Penalty>& schema(config::of<Penalty>);

/// A number of units, or the word `classes`, resolved when the number of classes is known.
struct Units {
  std::int64_t value = 0;  // 0: not resolved
  bool classes = false;
  static Units from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

/// The name of a trainable parameter that some registered layer has: kernel, bias, gamma, ...
struct ParameterName {
  std::string name;
  static ParameterName from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};
/// All of them, sorted.
std::vector<std::string> parameter_names();

}  // namespace timbre::nn
