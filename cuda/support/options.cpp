#include "support/options.hpp"

#include <stdexcept>

namespace timbre::cuda {

Options::Options(const config::Node& dump) {
  if (!dump.is_map() || dump.entries.size() != 1)
    throw std::logic_error("a description that is not {name: {options}}");
  name_ = dump.entries.front().first, options_ = dump.entries.front().second;
}
const config::Node& Options::node(const char* option) const {
  const auto* n = options_.find(option);
  if (!n) throw std::logic_error("the description of " + name_ + " lacks '" + option + "'");
  return *n;
}
const std::string& Options::word(const char* option) const { return node(option).scalar; }
double Options::number(const char* option) const { return config::Reader(node(option)).number(); }
bool Options::flag(const char* option) const { return config::Reader(node(option)).boolean(); }

}  // namespace timbre::cuda
