#include "results/keras_layout.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "nn/model.hpp"
#include "storage/hdf5.hpp"

namespace timbre::results {
namespace {

using nlohmann::ordered_json;

// The version whose layout is written; Keras converts what is older than 2.0 or of another back end.
constexpr const char* keras_version = "2.6.0";
constexpr const char* keras_backend = "tensorflow";

/// Conv2D, MaxPooling2D, GlobalAveragePooling2D, ...
bool wants_pictures(const std::string& class_name) { return class_name.ends_with("2D"); }
/// Layers to which (T, F) and (T, F, 1) are the same.
bool element_wise(const std::string& class_name) {
  return class_name == "Dropout" || class_name == "Activation" || class_name == "ReLU" ||
         class_name == "GaussianNoise" || class_name == "Normalization";
}

std::string without_output_index(std::string name) {
  if (const auto colon = name.rfind(':'); colon != name.npos) name.resize(colon);
  return name;
}

/// dense -> "dense/kernel:0"; Keras 2 puts the weights of an LSTM into its cell, and those of a bidirectional layer into its
/// two layers: forward_kernel -> "bidirectional/forward_lstm/lstm_cell/kernel:0".
std::string weight_path(const ordered_json& layer, const std::string& name) {
  const auto& config = layer.at("config");
  const auto class_name = layer.at("class_name").get<std::string>();
  const auto path = config.at("name").get<std::string>() + "/";
  const auto cell = [](const std::string& of) { return snake_case(of) + "_cell/"; };
  if (class_name == "Bidirectional") {
    const auto inner = config.at("layer").at("class_name").get<std::string>();
    const auto side = name.substr(0, name.find('_') + 1);
    return path + side + snake_case(inner) + "/" + cell(inner) + name.substr(side.size()) + ":0";
  }
  return path + (keeps_weights_in_cell(class_name) ? cell(class_name) : "") + name + ":0";
}

/// The name that the layer itself has for it: the reverse.
std::string weight_name(const std::string& path) {
  auto name = without_output_index(path.substr(path.rfind('/') + 1));
  for (const auto* side : {"forward_", "backward_"})
    if (path.find(std::string("/") + side) != path.npos) return side + name;
  return name;
}

/// Names TensorFlow accepts for a scope.
std::string scope_name(const std::string& name) {
  std::string out;
  for (const char c : name) out += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  if (out.empty() || out.front() == '_') out = "sequential" + out;
  return out;
}

}  // namespace

bool keeps_weights_in_cell(std::string_view class_name) {
  static const std::set<std::string, std::less<>> recurrent{"LSTM", "GRU", "SimpleRNN"};
  return recurrent.contains(class_name);
}

namespace {

/// Whether the exported model takes (T, F, 1) for (T, F): all that sees its input, element-wise layers passed over, wants
/// pictures.
bool takes_pictures(const Shape& input, const std::vector<KerasLayer>& layers) {
  std::set<std::string> seen{model_input};  // the input, or equal to it but for single values
  bool pictures = false;
  for (const auto& l : layers) {
    const auto sees =
        std::any_of(l.inputs.begin(), l.inputs.end(), [&](const auto& i) { return seen.contains(i); });
    if (!sees) continue;
    if (element_wise(l.class_name))
      seen.insert(l.config.at("name").get<std::string>());
    else if (wants_pictures(l.class_name))
      pictures = true;
    else
      return false;
  }
  return pictures && input.rank() == 2;
}

/// Every layer with a name, and with the names of its inputs.
std::vector<KerasLayer> named(std::vector<KerasLayer> layers) {
  std::set<std::string> taken;
  for (const auto& l : layers)
    if (l.config.contains("name")) taken.insert(l.config["name"].get<std::string>());
  std::map<std::string, int> used;
  std::string before = model_input;
  for (auto& l : layers) {
    std::string given;
    do {
      const int n = used[l.class_name]++;
      given = snake_case(l.class_name) + (n > 0 ? "_" + std::to_string(n) : "");
    } while (!l.config.contains("name") && taken.contains(given));
    ordered_json config{{"name", l.config.contains("name") ? l.config["name"] : ordered_json(given)}};
    for (auto& [key, value] : l.config.items())
      if (key != "name") config[key] = value;
    l.config = std::move(config);
    if (l.inputs.empty()) l.inputs = {before};
    before = l.config["name"].get<std::string>();
  }
  return layers;
}

/// With a Reshape before those that want pictures and get none; one for all that take the same.
std::vector<KerasLayer> with_reshapes(const std::vector<KerasLayer>& layers, bool pictures) {
  std::vector<KerasLayer> out;
  std::map<std::string, std::string> reshaped;
  std::set<std::string> fine;  // arrays that are pictures from the start
  if (pictures) fine.insert(model_input);
  std::set<std::string> taken;
  for (const auto& l : layers) taken.insert(l.config["name"].get<std::string>());
  for (auto l : layers) {
    auto& from = l.inputs[0];
    if (element_wise(l.class_name) && fine.contains(from)) fine.insert(l.config["name"].get<std::string>());
    if (wants_pictures(l.class_name) && l.input.rank() == 2 && !fine.contains(from)) {
      auto& name = reshaped[from];
      if (name.empty()) {
        name = "reshape";
        for (int n = 1; !taken.insert(name).second; ++n) name = fmt::format("reshape_{}", n);
        out.push_back({"Reshape",
                       {{"name", name},
                        {"trainable", true},
                        {"dtype", "float32"},
                        {"target_shape", ordered_json::array({l.input[0], l.input[1], 1})}},
                       l.input,
                       {from}});
      }
      from = name;
    }
    out.push_back(std::move(l));
  }
  return out;
}

}  // namespace

ordered_json model_config(const std::string& name, const Shape& input, const std::vector<KerasLayer>& given) {
  auto layers = named(given);
  const bool pictures = takes_pictures(input, layers);
  layers = with_reshapes(layers, pictures);
  const bool functional =
      std::any_of(layers.begin(), layers.end(), [](const auto& l) { return l.inputs.size() > 1; });

  Shape exported = input;
  if (pictures) exported.push_back(1);
  auto shape = ordered_json::array({nullptr});
  for (const auto extent : exported.extents()) shape.push_back(extent);
  auto list = ordered_json::array();
  const auto add = [&](const std::string& class_name, ordered_json config,
                       const std::vector<std::string>& inputs) {
    ordered_json layer{{"class_name", class_name}, {"config", std::move(config)}};
    if (functional) {
      auto from = ordered_json::array();
      for (const auto& i : inputs) from.push_back({i, 0, 0, ordered_json::object()});
      layer["name"] = layer["config"]["name"];
      layer["inbound_nodes"] =
          inputs.empty() ? ordered_json::array() : ordered_json::array({std::move(from)});
    }
    list.push_back(std::move(layer));
  };
  add("InputLayer",
      {{"batch_input_shape", shape}, {"dtype", "float32"}, {"sparse", false}, {"name", model_input}}, {});
  for (const auto& l : layers) add(l.class_name, l.config, l.inputs);
  ordered_json config{{"name", scope_name(name)}, {"layers", std::move(list)}};
  if (functional) {
    const auto end = [](const ordered_json& layer) {
      return ordered_json::array({ordered_json::array({layer, 0, 0})});
    };
    config["input_layers"] = end(model_input);
    config["output_layers"] = end(layers.back().config["name"]);
  }
  return {{"class_name", functional ? "Functional" : "Sequential"}, {"config", std::move(config)}};
}

std::vector<KerasLayer> keras_layers(const nn::Model& model) {
  std::vector<KerasLayer> layers;
  const auto name_of = [&](int array) {
    return array == 0 ? std::string(model_input) : model.array_name(array);
  };
  for (const auto& entry : model.layers()) {
    auto config = entry.layer->keras_config_for(entry.input);
    config["name"] = entry.name;
    if (entry.frozen) config["trainable"] = false;
    layers.push_back({entry.layer->keras_class(), std::move(config), entry.input, {name_of(entry.from)}});
    if (entry.other >= 0) layers.back().inputs.push_back(name_of(entry.other));
  }
  return layers;
}

ordered_json model_config(const std::string& name, const nn::Model& model) {
  return model_config(name, model.input(), keras_layers(model));
}

std::vector<WeightTensor> model_weights(const nn::Model& model, std::span<const float> arena) {
  std::vector<WeightTensor> out;
  for (const auto& entry : model.layers())
    for (const int index : entry.parameters) {
      const auto& parameter = model.parameters()[index];
      const auto values = arena.subspan(parameter.offset, parameter.spec.shape.size());
      out.push_back({entry.name, parameter.spec.name, parameter.spec.shape, {values.begin(), values.end()}});
    }
  return out;
}

void require_fitting(const nn::Model& model, const std::vector<WeightTensor>& weights) {
  std::size_t next = 0;
  for (const auto& entry : model.layers())
    for (const int index : entry.parameters) {
      const auto& parameter = model.parameters()[index];
      if (next == weights.size())
        fail("the weights end before {} of layer {}", parameter.spec.name, entry.name);
      const auto& tensor = weights[next++];
      if (tensor.name != parameter.spec.name || tensor.shape != parameter.spec.shape ||
          std::ssize(tensor.data) != parameter.spec.shape.size())
        fail("the weights do not fit the model: {} of layer {} is {}, found {} of layer {}, {}",
             parameter.spec.name, entry.name, parameter.spec.shape.str(), printable(tensor.name),
             printable(tensor.layer), tensor.shape.str());
    }
  if (next != weights.size())
    fail("the weights do not fit the model: {} of layer {} is one too many", printable(weights[next].name),
         printable(weights[next].layer));
}

void load_weights(const nn::Model& model, const std::vector<WeightTensor>& weights, std::span<float> arena) {
  require_fitting(model, weights);
  auto tensor = weights.begin();
  for (const auto& entry : model.layers())
    for (const int index : entry.parameters) {
      std::copy(tensor->data.begin(), tensor->data.end(), arena.begin() + model.parameters()[index].offset);
      ++tensor;
    }
}

void write_keras_model(storage::H5File& file, const std::string& model_config,
                       const std::vector<WeightTensor>& weights) {
  file.attribute("/", "keras_version", keras_version);
  file.attribute("/", "backend", keras_backend);
  file.attribute("/", "model_config", model_config);
  file.group("/model_weights");
  file.attribute("/model_weights", "keras_version", keras_version);
  file.attribute("/model_weights", "backend", keras_backend);

  std::vector<std::string> names;
  std::size_t written = 0;
  const auto config = ordered_json::parse(model_config);
  for (const auto& layer : config.at("config").at("layers")) {
    const auto class_name = layer.at("class_name").get<std::string>();
    if (class_name == "InputLayer") continue;
    const auto& name = names.emplace_back(layer.at("config").at("name").get<std::string>());
    const auto group = "/model_weights/" + name;
    file.group(group);
    std::vector<std::string> paths;
    for (const auto& tensor : weights) {
      if (tensor.layer != name) continue;
      paths.push_back(weight_path(layer, tensor.name));
      file.write(group + "/" + paths.back(), tensor.data, tensor.shape);
      ++written;
    }
    if (paths.empty())
      file.empty_attribute(group, "weight_names");
    else
      file.attribute(group, "weight_names", paths);
  }
  if (written != weights.size())
    fail("{}: weights of a layer that is not in the model", printable(file.path().string()));
  file.attribute("/model_weights", "layer_names", names);
}

std::vector<WeightTensor> read_keras_weights(const storage::H5File& file) {
  // Keras itself writes a bare weights file with the same attributes at the root.
  const std::string root = file.exists("/model_weights") ? "/model_weights" : "/";
  std::vector<WeightTensor> out;
  for (const auto& layer : file.texts_attribute(root, "layer_names")) {
    const auto group = (root == "/" ? "" : root) + "/" + layer;
    for (const auto& path : file.texts_attribute(group, "weight_names")) {
      const auto object = group + "/" + path;
      out.push_back({layer, weight_name(path), file.shape(object), file.read_floats(object)});
    }
  }
  return out;
}

}  // namespace timbre::results
