#include "nn/layer.hpp"

#include <cctype>

namespace timbre::nn {

const config::Schema<Penalty>& schema(config::of<Penalty>) {
  static const auto s = config::Schema<Penalty>("penalty on weights")
                            .field("l1", &Penalty::l1, "strength of sum|w|", config::at_least(0.0))
                            .field("l2", &Penalty::l2, "strength of sum w^2", config::at_least(0.0));
  return s;
}

Units Units::from(const config::Reader& reader) {
  if (reader.node().is_scalar() && reader.node().scalar == "classes") return {0, true};
  if (reader.node().is_scalar() && !reader.node().scalar.empty() &&
      std::isalpha(static_cast<unsigned char>(reader.node().scalar[0])))
    reader.fail("must be a whole number or the word classes, not " + config::describe(reader.node()));
  const auto n = reader.integer();
  if (n < 1 || n > 1'000'000)
    reader.fail("must be between 1 and 1000000, not " + config::describe(reader.node()));
  return {n, false};
}

config::Node Units::dump() const {
  return classes ? config::Node::text("classes") : config::Node::plain(std::to_string(value));
}

}  // namespace timbre::nn
