#include "exchange/keras_chain.hpp"

#include <set>

#include "core/text.hpp"

namespace timbre::exchange {

namespace {

using Json = nlohmann::ordered_json;

constexpr int deepest = 64;
constexpr std::size_t most_layers = 10'000;

/// Parsed; nothing of it is nested so deeply that looking at it could exhaust the stack.
Json parse(const std::string& text, const std::string& what) {
  try {
    return Json::parse(text, [&](int depth, Json::parse_event_t, Json&) {
      if (depth > deepest) fail("{}: is nested deeper than {}", what, deepest);
      return true;
    });
  } catch (const Json::exception&) {
    fail("{}: is no JSON", what);
  }
}

std::string text_in(const Json& object, const std::string& key) {
  if (!object.is_object()) return "";
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

/// float32, as a text or as a policy of Keras 3.
bool is_float32(const Json& dtype) {
  if (dtype.is_null()) return true;
  if (dtype.is_string()) return dtype == "float32";
  return dtype.is_object() && dtype.contains("config") && text_in(dtype["config"], "name") == "float32";
}

KerasNode node_of(const Json& layer, std::size_t index) {
  KerasNode out;
  out.class_name = text_in(layer, "class_name");
  if (layer.is_object() && layer.contains("config")) out.config = layer["config"];
  out.name = text_in(out.config, "name");
  if (out.name.empty()) out.name = text_in(layer, "name");
  out.place = fmt::format("layers[{}] '{}' ({})", index, printable(out.name), printable(out.class_name));
  if (out.class_name.empty() || !out.config.is_object()) out.fail("says no class, or no configuration");
  for (const auto* kind : {"Sequential", "Functional", "Model"})
    if (out.class_name == kind) out.fail("is a model within the model; chains of layers alone are read");
  const auto module = text_in(layer, "module");
  if (!module.empty() && module != "keras" && !module.starts_with("keras."))
    out.fail("is of the module {}, and not Keras's own", printable(module));
  if (out.config.contains("dtype") && !is_float32(out.config["dtype"]))
    out.fail("computes in another type than float32");
  return out;
}

/// The names of layers that inbound_nodes, input_layers or output_layers speak of: ["name", 0, 0], however wrapped.
void collect_names(const Json& value, std::vector<std::string>& out) {
  if (value.is_array() && value.size() >= 2 && value[0].is_string() && value[1].is_number()) {
    out.push_back(value[0]);
  } else if (value.is_object() && value.contains("keras_history")) {
    collect_names(value["keras_history"], out);
  } else if (value.is_array() || value.is_object()) {
    for (const auto& item : value) collect_names(item, out);
  }
}
std::vector<std::string> names_in(const Json& object, const std::string& key) {
  std::vector<std::string> out;
  if (object.is_object() && object.contains(key)) collect_names(object[key], out);
  return out;
}

/// Refuses a graph that is no chain.
void require_chain(const Json& config, const Json& layers, const std::vector<KerasNode>& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& node = nodes[i];
    const bool calls = layers[i].contains("inbound_nodes") && layers[i]["inbound_nodes"].is_array();
    const auto from = names_in(layers[i], "inbound_nodes");
    if (node.class_name == "InputLayer") {
      if (i > 0) node.fail("is a second input; chains of layers alone are read");
      continue;
    }
    if (calls && layers[i]["inbound_nodes"].size() > 1)
      node.fail("is used {} times; chains of layers alone are read", layers[i]["inbound_nodes"].size());
    if (i == 0 || from.size() != 1 || from[0] != nodes[i - 1].name)
      node.fail("takes {}, and not the layer before it alone; chains of layers alone are read",
                from.empty() ? "nothing" : printable(join(from)));
  }
  const auto out = names_in(config, "output_layers");
  if (nodes.empty() || out.size() != 1 || out[0] != nodes.back().name)
    fail("the model's output is {}, and not its last layer; chains of layers alone are read",
         out.empty() ? "not said" : printable(join(out)));
}

/// [null, T, F] of the first layer, or of the model.
Json input_of(const Json& model, const Json& config, const std::vector<KerasNode>& nodes) {
  for (const auto* key : {"batch_input_shape", "batch_shape"})
    if (!nodes.empty() && nodes[0].config.contains(key)) return nodes[0].config[key];
  if (config.is_object() && config.contains("build_input_shape")) return config["build_input_shape"];
  if (model.contains("build_config") && model["build_config"].is_object())
    return model["build_config"].value("input_shape", Json());
  return {};
}

}  // namespace

KerasChain keras_chain(const std::string& json) {
  const auto model = parse(json, "the model's configuration");
  const auto class_name = text_in(model, "class_name");
  const bool sequential = class_name == "Sequential";
  if (!sequential && class_name != "Functional" && class_name != "Model")
    fail("the model is {}; Sequential and Functional are read",
         class_name.empty() ? "of no class that the file says" : "a " + printable(class_name));
  if (!model.contains("config")) fail("the model's configuration says no layers");
  const auto& config = model["config"];
  // Early versions of Keras 2 wrote the list alone.
  const bool bare = config.is_array();
  if (!bare && (!config.is_object() || !config.contains("layers") || !config["layers"].is_array()))
    fail("the model's configuration says no layers");
  const auto& layers = bare ? config : config["layers"];
  if (layers.size() > most_layers)
    fail("the model has {} layers, which is more than {}", layers.size(), most_layers);
  KerasChain out;
  out.name = bare ? "" : text_in(config, "name");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& node = out.layers.emplace_back(node_of(layers[i], i));
    if (!seen.insert(node.name).second) node.fail("has the name of another layer");
  }
  if (!sequential) require_chain(config, layers, out.layers);
  out.input = input_of(model, config, out.layers);
  return out;
}

std::map<std::string, std::string> keras_description(const std::string& json) {
  std::map<std::string, std::string> out;
  if (json.empty()) return out;
  const auto parsed = parse(json, "what Timbre said of the model");
  if (!parsed.is_object()) return out;
  for (const auto& [key, value] : parsed.items())
    if (value.is_string()) out[key] = value.get<std::string>();
  return out;
}

}  // namespace timbre::exchange
