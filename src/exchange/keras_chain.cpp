#include "exchange/keras_chain.hpp"

#include <algorithm>
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

/// A Functional model as a chain with blocks.
class Graph {
 public:
  Graph(const Json& layers, std::vector<KerasNode> nodes) : nodes_(std::move(nodes)) {
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const auto& node = nodes_[i];
      const auto from = names_in(layers[i], "inbound_nodes");
      if (node.class_name == "InputLayer") {
        if (i > 0) node.fail("is a second input; {}", what_is_read);
      } else {
        const bool calls = layers[i].contains("inbound_nodes") && layers[i]["inbound_nodes"].is_array();
        if (calls && layers[i]["inbound_nodes"].size() > 1)
          node.fail("is used {} times; {}", layers[i]["inbound_nodes"].size(), what_is_read);
        if (i == 0 || from.size() != (node.class_name == "Add" ? 2u : 1u))
          node.fail("takes {}, and not the layer before it alone; {}",
                    from.empty() ? "nothing" : printable(join(from)), what_is_read);
      }
      auto& takes = takes_.emplace_back();
      for (const auto& name : from) {
        const auto it = places.find(name);
        // (Keras writes layers in the order of computation; so there is no circle.)
        if (it == places.end()) node.fail("takes {}, which is no layer before it", printable(name));
        takes.push_back(it->second);
      }
      places.emplace(node.name, i);
    }
  }

  std::vector<KerasNode> chain(const Json& config) {
    const auto out = names_in(config, "output_layers");
    if (nodes_.empty() || out.size() != 1 || out[0] != nodes_.back().name)
      fail("the model's output is {}, and not its last layer; {}",
           out.empty() ? "not said" : printable(join(out)), what_is_read);
    std::vector<KerasNode> all;
    std::size_t used = 0;
    for (auto at = nodes_.size() - 1;; at = takes_[at][0]) {
      all.push_back(nodes_[at]), ++used;
      auto& node = all.back();
      if (takes_[at].empty()) break;
      if (takes_[at].size() < 2) continue;
      // Backwards along both branches, to the layer where they part: the last that both have.
      const auto one = before(takes_[at][0]), other = before(takes_[at][1]);
      std::vector<bool> of_other(nodes_.size(), false);
      for (const auto i : other) of_other[i] = true;
      const auto part = std::find_if(one.begin(), one.end(), [&](std::size_t i) { return of_other[i]; });
      if (part == one.end()) node.fail("adds what has no layer in common; {}", what_is_read);
      const auto branch = [&](const std::vector<std::size_t>& back) {
        std::vector<KerasNode> layers;
        for (const auto i : back) {
          if (i == *part) break;
          if (nodes_[i].class_name == "Add") nodes_[i].fail("ends a block within a block; {}", what_is_read);
          layers.push_back(nodes_[i]);
        }
        std::reverse(layers.begin(), layers.end());
        return layers;
      };
      node.body = branch(one), node.shortcut = branch(other), node.adds = true;
      if (node.body.empty()) std::swap(node.body, node.shortcut);
      if (node.body.empty()) node.fail("adds an array to itself; {}", what_is_read);
      used += node.body.size() + node.shortcut.size();
      takes_[at] = {*part};
    }
    if (used != nodes_.size())
      fail("{} of the model's layers do not lead to its output; {}", nodes_.size() - used, what_is_read);
    std::reverse(all.begin(), all.end());
    return all;
  }

 private:
  static constexpr auto what_is_read = "chains of layers alone are read, with blocks that an Add of two ends";

  /// A layer and those before it, backwards; of an Add its first input.
  std::vector<std::size_t> before(std::size_t i) const {
    std::vector<std::size_t> out{i};
    while (!takes_[i].empty()) out.push_back(i = takes_[i][0]);
    return out;
  }

  std::vector<KerasNode> nodes_;
  std::vector<std::vector<std::size_t>> takes_;  // what each layer takes
};

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
  std::map<std::string, int> used;
  for (auto& node : out.layers) {
    node.number = snake_case(node.class_name);
    if (const int n = used[node.number]++; n > 0) node.number += "_" + std::to_string(n);
  }
  if (!sequential) out.layers = Graph(layers, std::move(out.layers)).chain(config);
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
