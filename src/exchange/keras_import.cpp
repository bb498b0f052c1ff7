#include "exchange/keras_import.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "config/schema.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/keras_chain.hpp"

namespace timbre::exchange {

namespace {

using Json = nlohmann::ordered_json;

/// Options that do not change what a trained network computes.
bool in_training_alone(const std::string& key) {
  static const std::set<std::string> known{"dropout",           "recurrent_dropout", "noise_shape",
                                           "kernel_constraint", "bias_constraint",   "recurrent_constraint",
                                           "beta_constraint",   "gamma_constraint"};
  return known.contains(key) || key.ends_with("_regularizer");
}
/// Options that change nothing that is kept.
bool without_meaning(const std::string& key) {
  static const std::set<std::string> known{
      "name",        "trainable",      "dtype",           "batch_input_shape",
      "batch_shape", "seed",           "renorm_momentum", "sparse",
      "ragged",      "implementation", "use_cudnn",       "unroll",
      "input_dtype", "input_length"};
  return known.contains(key) || key.ends_with("_initializer");
}
bool says_nothing(const Json& value) {
  if (value.is_null()) return true;
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() == 0;
  return (value.is_string() || value.is_array() || value.is_object()) && (value.empty() || value == "");
}

std::string shown(const Json& value) {
  auto text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return printable(text);
}

/// A value of JSON as one of a configuration.
config::Node node_of(const Json& value, const config::Origin& origin) {
  config::Node node;
  if (value.is_string()) {
    node = config::Node::text(value.get<std::string>());
  } else if (value.is_boolean() || value.is_number()) {
    node = config::Node::plain(value.dump());
  } else if (value.is_array()) {
    node = config::Node::sequence();
    for (const auto& item : value) node.items.push_back(node_of(item, origin));
  } else if (value.is_object()) {
    node = config::Node::map();
    for (const auto& [key, item] : value.items()) node.set(key, node_of(item, origin), origin);
  }
  node.origin = origin;
  return node;
}

/// {l1, l2} of a regulariser of Keras; null where there is none.
Json penalty(const KerasNode& layer, const std::string& key, const Json& value) {
  if (value.is_null()) return value;
  const auto known = [](const Json& v) {
    return v.is_object() && v.contains("config") && v["config"].is_object() && v.contains("class_name") &&
           (v["class_name"] == "L1L2" || v["class_name"] == "L1" || v["class_name"] == "L2");
  };
  if (!known(value)) layer.fail("{} {} is not known; L1, L2 and L1L2 are", key, shown(value));
  Json out = Json::object();
  for (const auto* name : {"l1", "l2"}) out[name] = value["config"].value(name, Json(0.0));
  return out["l1"] == 0.0 && out["l2"] == 0.0 ? Json() : out;
}

/// Keras's name for an option of ours.
std::string keras_key(const std::string& option) {
  const auto end = std::string("regulariser");
  return option.ends_with(end) ? option.substr(0, option.size() - end.size()) + "regularizer" : option;
}

/// Layers by Keras's name of their class.
const std::map<std::string, std::string>& types_by_class() {
  static const auto types = [] {
    std::map<std::string, std::string> out;
    for (const auto& name : nn::LayerRegistry::instance().names()) {
      const auto* type = nn::LayerRegistry::instance().find(name);
      const auto node = config::parse_text(name + ": " + type->examples.at(0).options, "example", "");
      out.emplace(type->parse(*node.find(name), 2)->keras_class(), name);
    }
    return out;
  }();
  return types;
}

std::string known_classes() {
  std::vector<std::string> names;
  for (const auto& [keras_class, type] : types_by_class()) names.push_back(keras_class);
  return join(names);
}

/// An axis, or a list of one, counted from the end: -1 is the last of `rank` axes, the batch included.
Json last_axis(const Json& value, std::size_t rank) {
  const auto& one = value.is_array() && value.size() == 1 ? value[0] : value;
  if (!one.is_number_integer()) return value;
  const auto axis = one.get<std::int64_t>();
  return axis > 0 ? axis - std::int64_t(rank) : axis;
}

/// Whether what Keras says is what the layer computes; whole numbers and fractions are one.
bool agrees(const std::string& key, const Json& theirs, const Json& ours, std::size_t rank) {
  if (key == "axis") return last_axis(theirs, rank) == last_axis(ours, rank);
  return theirs == ours;
}

/// Reads one layer of a class that we have.
config::Node read_layer(const KerasNode& layer, const std::string& type_name, std::size_t rank,
                        std::vector<std::string>& notes) {
  const auto* type = nn::LayerRegistry::instance().find(type_name);
  if (layer.config.contains("layer"))
    layer.fail("holds a layer of its own; layers within layers are not read");
  const config::Origin origin{.source = layer.place, .base = {}};
  auto options = config::Node::map();
  options.origin = origin;
  std::set<std::string> taken;
  for (const auto& key : type->describe().keys) {
    const auto theirs = keras_key(key.name);
    if (!layer.config.contains(theirs)) continue;
    taken.insert(theirs);
    const auto& value = layer.config[theirs];
    if (key.name == "units" && !value.is_number_integer())
      layer.fail("units {} is no whole number", shown(value));
    const bool regularises = theirs != key.name;
    auto plain = regularises ? penalty(layer, theirs, value) : value;
    // Extents along a sequence are lists of one number there.
    if (key.type.kind == config::Type::Kind::whole && plain.is_array() && plain.size() == 1)
      plain = Json(plain[0]);
    if (plain.is_null()) continue;  // the default, or none
    if (plain.is_object() && !regularises) layer.fail("{} {} is not known", theirs, shown(value));
    options.set(key.name, node_of(plain, origin), origin);
  }
  std::unique_ptr<nn::Layer> made;
  try {
    made = type->parse(config::Reader(options), 0);
  } catch (const RequestError& e) {
    timbre::fail("{}", e.what());
  }
  const auto ours = made->keras_config();
  for (const auto& [key, value] : layer.config.items()) {
    if (taken.contains(key) || without_meaning(key)) continue;
    if (in_training_alone(key)) {
      if (!says_nothing(value))
        notes.push_back(fmt::format("{}: {} {} is left out: it works in training alone", layer.place,
                                    printable(key), shown(value)));
    } else if (ours.contains(key)) {
      if (!agrees(key, value, ours[key], rank))
        layer.fail("{} is {}; Timbre computes {} alone", printable(key), shown(value), shown(ours[key]));
    } else if (!says_nothing(value)) {
      layer.fail("{} {} has no counterpart", printable(key), shown(value));
    }
  }
  auto out = config::Node::map();
  out.set(type_name, std::move(options));
  return out;
}

/// A Cropping1D of sequences of so many frames that leaves their middle: a random_crop, as it predicts.
config::Node read_crop(const KerasNode& layer, std::int64_t frames) {
  const auto cut = layer.config.value("cropping", Json());
  if (!cut.is_array() || cut.size() != 2 || !cut[0].is_number_integer() || !cut[1].is_number_integer())
    layer.fail("cropping {} is no pair of whole numbers", shown(cut));
  const auto first = cut[0].get<std::int64_t>(), last = cut[1].get<std::int64_t>();
  if (frames < 1 || first < 0 || last < 0 || first >= frames || last >= frames - first)
    layer.fail("cropping {} leaves nothing of {} frames", shown(cut), frames);
  if (first != (first + last) / 2)
    layer.fail("cropping {} is not even; Timbre leaves the middle alone", shown(cut));
  auto options = config::Node::map(), out = config::Node::map();
  options.set("frames", config::Node::plain(std::to_string(frames - first - last)));
  out.set("random_crop", std::move(options));
  return out;
}

std::vector<double> numbers(const KerasNode& layer, const std::string& key) {
  std::vector<double> out;
  const auto add = [&](const auto& self, const Json& value) -> void {
    if (value.is_array())
      for (const auto& item : value) self(self, item);
    else if (value.is_number())
      out.push_back(value.get<double>());
    else
      layer.fail("its {} holds something that is no number", key);
  };
  if (layer.config.contains(key)) add(add, layer.config[key]);
  return out;
}

data::Standardisation read_normalization(const KerasNode& layer, std::int64_t coefficients) {
  const auto mean = numbers(layer, "mean"), variance = numbers(layer, "variance");
  if (mean.empty() || variance.empty())
    layer.fail("its mean and variance must stand in its configuration; adapted ones are not read");
  if (layer.config.contains("axis") && last_axis(layer.config["axis"], 3) != -1)
    layer.fail("axis is {}; that of the coefficients is 2", shown(layer.config["axis"]));
  if (layer.config.contains("invert") && !says_nothing(layer.config["invert"]))
    layer.fail("invert has no counterpart");
  const auto count = std::size_t(coefficients);
  if (mean.size() != variance.size() || (mean.size() != count && mean.size() != 1))
    layer.fail("{} means and {} variances do not fit {} coefficients", mean.size(), variance.size(), count);
  data::Standardisation out;
  for (std::size_t f = 0; f < count; ++f) {
    const auto i = mean.size() == 1 ? 0 : f;
    out.mean.push_back(float(mean[i])), out.std.push_back(float(std::sqrt(variance[i])));
    if (!std::isfinite(out.mean.back()) || !(out.std.back() > 0) || !std::isfinite(out.std.back()))
      layer.fail("mean {} and variance {} standardise nothing", mean[i], variance[i]);
  }
  return out;
}

/// (T, F) or (T, F, 1), the batch before it.
void read_input(const KerasChain& chain, KerasModel& out) {
  const auto& shape = chain.input;
  const auto size = shape.is_array() ? shape.size() : 0;
  const bool picture = size == 4 && shape[3] == 1;
  if (!shape.is_array() || (size != 3 && !picture) || !shape[2].is_number_integer() ||
      !(shape[1].is_null() || shape[1].is_number_integer()))
    fail(
        "the model's input is {}; Timbre's networks take (frames, coefficients) or (frames, coefficients, 1)",
        shape.is_null() ? "not said" : shown(shape));
  constexpr std::int64_t most = std::int64_t{1} << 26;
  out.coefficients = shape[2].get<std::int64_t>();
  out.frames = shape[1].is_null() ? 0 : shape[1].get<std::int64_t>();
  if (out.coefficients < 1 || out.coefficients > most || out.frames < 0 || out.frames > most)
    fail("the model's input {} is no possible size", shown(shape));
}

bool adds_channel(const KerasNode& layer, const KerasModel& model) {
  if (layer.class_name != "Reshape" || !layer.config.contains("target_shape")) return false;
  const auto& target = layer.config["target_shape"];
  return target.is_array() && target.size() == 3 && target[2] == 1 && target[1] == model.coefficients;
}

/// Reads layers one after the other into `model:`.
class Reading {
 public:
  Reading(const KerasFile& file, KerasModel& out, std::size_t rank) : file_(file), out_(out), rank_(rank) {}

  void read(const KerasNode& layer) {
    const auto& layers = out_.layers.items;
    if (layer.class_name == "InputLayer") return;
    // (Masking looks for features as they are.)
    const bool begins = layers.empty() || (layers.size() == 1 && layers[0].find("masking"));
    if (layer.class_name == "Normalization" && begins && out_.standardisation.mean.empty())
      out_.standardisation = read_normalization(layer, out_.coefficients);
    else if (layers.empty() && rank_ == 3 && adds_channel(layer, out_))
      rank_ = 4;
    else if (layer.class_name == "Cropping1D" && layers.empty() && rank_ == 3)
      out_.layers.items.push_back(read_crop(layer, out_.frames)), place(layer);
    else if (layer.adds)
      out_.layers.items.push_back(block(layer));
    else
      out_.layers.items.push_back(one(layer)), place(layer);
  }

 private:
  config::Node one(const KerasNode& layer) {
    const auto known = types_by_class().find(layer.class_name);
    if (known == types_by_class().end() || layer.class_name == "Add")
      layer.fail("Timbre has no such layer; it has {}", known_classes());
    auto node = read_layer(layer, known->second, rank_, out_.notes);
    if (layer.class_name == "Flatten") rank_ = 2;
    return node;
  }

  /// The places of its layers have the order that the model will have (nn/layers/residual.hpp).
  config::Node block(const KerasNode& sum) {
    const auto rank = rank_;
    const auto list = [&](const std::vector<KerasNode>& layers) {
      auto node = config::Node::sequence();
      rank_ = rank;
      for (const auto& layer : layers) node.items.push_back(one(layer));
      return node;
    };
    auto options = config::Node::map();
    options.origin = {.source = sum.place, .base = {}};
    options.set("shortcut", list(sum.shortcut));
    options.set("layers", list(sum.body));
    options.set("activation", config::Node::text("linear"));
    for (auto distance = std::max(sum.body.size(), sum.shortcut.size()); distance > 0; --distance)
      for (const auto* branch : {&sum.body, &sum.shortcut})
        if (branch->size() >= distance) place((*branch)[branch->size() - distance]);
    place(sum);
    auto out = config::Node::map();
    out.set("residual", std::move(options));
    return out;
  }

  void place(const KerasNode& layer) {
    out_.places.push_back({layer.place, file_.archive ? layer.number : layer.name});
    if (out_.places.size() > 1000) layer.fail("is one of more than 1,000 layers");
  }

  const KerasFile& file_;
  KerasModel& out_;
  std::size_t rank_;
};

}  // namespace

KerasModel understand(const KerasFile& file) {
  const auto chain = keras_chain(file.config);
  KerasModel out;
  out.name = chain.name;
  out.description = keras_description(file.description);
  read_input(chain, out);
  out.layers = config::Node::sequence();
  Reading reading(file, out, chain.input.size());
  for (const auto& layer : chain.layers) reading.read(layer);
  if (out.layers.items.empty()) fail("the model has no layers");
  return out;
}

std::vector<results::WeightTensor> weights_for(const KerasModel& found, const KerasFile& file,
                                               const nn::Model& model) {
  std::vector<results::WeightTensor> out;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const auto& entry = model.layers()[i];
    const auto& [place, key] = found.places.at(i);
    const auto group =
        std::find_if(file.weights.begin(), file.weights.end(), [&](const auto& w) { return w.layer == key; });
    const auto there = group == file.weights.end() ? 0 : group->tensors.size();
    for (std::size_t p = 0; p < entry.parameters.size(); ++p) {
      const auto& spec = model.parameters()[std::size_t(entry.parameters[p])].spec;
      if (p >= there) fail("{}: its weights lack {} {}", place, spec.name, spec.shape.str());
      const auto& tensor = group->tensors[p];
      if (tensor.shape != spec.shape)
        fail("{}: {} is {}, and must be {}", place, spec.name, tensor.shape.str(), spec.shape.str());
      if (tensor.type != "float32")
        fail("{}: {} holds {}; float32 is read", place, spec.name, printable(tensor.type));
      if (std::ssize(tensor.data) != spec.shape.size()) fail("{}: {} is not whole", place, spec.name);
      if (!std::all_of(tensor.data.begin(), tensor.data.end(), [](float v) { return std::isfinite(v); }))
        fail("{}: {} holds numbers that are not finite", place, spec.name);
      out.push_back({entry.name, spec.name, spec.shape, tensor.data});
    }
    if (there > entry.parameters.size() && !entry.parameters.empty())
      fail("{}: has {} arrays of weights, and must have {}", place, there, entry.parameters.size());
  }
  return out;
}

}  // namespace timbre::exchange
