// The options of a layer, loss or optimizer, from its resolved description {name: {options}}, where every one
// of them stands: what the device's half needs to know of the host's half.
#pragma once

#include <string>

#include "config/schema.hpp"

namespace timbre::cuda {

class Options {
 public:
  explicit Options(const config::Node& dump);
  const std::string& name() const { return name_; }
  double number(const char* option) const;
  bool flag(const char* option) const;
  const std::string& word(const char* option) const;
  /// Throws std::logic_error where there is none.
  const config::Node& node(const char* option) const;

 private:
  std::string name_;
  config::Node options_;
};

}  // namespace timbre::cuda
