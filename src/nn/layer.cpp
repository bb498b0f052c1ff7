#include "nn/layer.hpp"

#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "config/schema.hpp"
#include "core/error.hpp"
#include "nn/layer_op.hpp"

namespace timbre::nn {

const config::Schema<Penalty>& schema(config::of<Penalty>) {
  static const auto s =
      config::Schema<Penalty>("penalty on the weights of one layer")
          .field("l1", &Penalty::l1, "strength of the sum of |w|, which is added to the loss",
                 config::at_least(0.0))
          .field("l2", &Penalty::l2, "strength of the sum of w^2, which is added to the loss",
                 config::at_least(0.0));
  return s;
}

namespace {
constexpr std::int64_t most_units = 1'000'000;
}

config::Type Units::describe() {
  return config::Type::either({config::Type::whole(1, most_units), config::Type::word({{"classes", ""}})});
}

Units Units::from(const config::Reader& reader) {
  if (reader.node().is_scalar() && reader.node().scalar == "classes") return {0, true};
  if (reader.node().is_scalar() && !reader.node().scalar.empty() &&
      std::isalpha(static_cast<unsigned char>(reader.node().scalar[0])))
    reader.fail("must be a whole number or the word classes, not " + config::describe(reader.node()));
  const auto n = reader.integer();
  if (n < 1 || n > most_units)
    reader.fail(fmt::format("must be between 1 and {}, not {}", most_units, config::describe(reader.node())));
  return {n, false};
}

config::Node Units::dump() const {
  return classes ? config::Node::text("classes") : config::Node::plain(std::to_string(value));
}

config::Type ParameterName::describe() {
  std::vector<config::Choice> names;
  for (auto& name : parameter_names()) names.push_back({std::move(name), ""});
  return config::Type::word(std::move(names));
}

ParameterName ParameterName::from(const config::Reader& reader) {
  return {reader.name("parameter", parameter_names())};
}

config::Node ParameterName::dump() const { return config::Node::text(name); }

std::vector<std::string> parameter_names() {
  std::set<std::string> names;
  for (const auto& type : LayerRegistry::instance().names()) {
    const auto* layer_type = LayerRegistry::instance().find(type);
    for (const auto& example : layer_type->examples) {
      const auto node = config::parse_text(type + ": " + example.options, "example", "");
      for (const auto& p : layer_type->parse(*node.find(type), 1)->parameters(example.input))
        if (p.trainable) names.insert(p.name);
    }
  }
  return {names.begin(), names.end()};
}

nlohmann::ordered_json Layer::keras_config_for(const Shape&) const { return keras_config(); }

std::unique_ptr<Layer> layer_from(const std::string& yaml, std::int64_t classes) {
  const auto node = config::parse_text(yaml, "layer", ".");
  const auto choice = config::Reader(node).choice("layer", LayerRegistry::instance().names());
  return LayerRegistry::instance().find(choice.name)->parse(choice.options(), classes);
}

std::string Layer::to_onnx(OnnxPlace&) const { fail("has no mapping to ONNX"); }

std::unique_ptr<LayerOp> make_cpu_op(const Layer& layer, const LayerBinding& binding) {
  auto op = CpuOps::make(layer.options(), binding);
  if (!op) throw std::logic_error("the layer " + std::string(layer.type()) + " has no operation on the CPU");
  return op;
}

}  // namespace timbre::nn
