#include "exchange/keras.hpp"

#include <fstream>
#include <map>
#include <sstream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "results/keras_layout.hpp"
#include "storage/atomic_file.hpp"
#include "storage/hdf5.hpp"
#include "storage/zip.hpp"

namespace timbre::exchange {

namespace {

using nlohmann::ordered_json;
using results::KerasLayer;

/// The layout that is written, which later versions read.
constexpr const char* keras_3_version = "3.5.0";

/// (x - mean) / sqrt(variance) for each coefficient: of (T, F) and of (T, F, 1) the axis 2, the batch being 0. Keras 2 and 3
/// spread a flat list over the other axes.
KerasLayer normalization(const data::Standardisation& s, const Shape& input) {
  auto mean = ordered_json::array(), variance = ordered_json::array();
  for (std::size_t f = 0; f < s.mean.size(); ++f) {
    mean.push_back(double(s.mean[f]));
    // The square of a float32 is exact as float64, so that its root is the deviation again.
    variance.push_back(double(s.std[f]) * double(s.std[f]));
  }
  return {"Normalization",
          {{"name", "normalization"},
           {"trainable", true},
           {"dtype", "float32"},
           {"axis", {2}},
           {"mean", mean},
           {"variance", variance}},
          input};
}

std::string description_json(const Outgoing& network) {
  ordered_json out = ordered_json::object();
  for (const auto& [key, value] : description(network)) out[key] = value;
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string file_bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  if (!in || !out) fail("{}: cannot be read", printable(file.string()));
  return std::move(out).str();
}

/// The HDF5 file that lies in a .keras archive: /layers/<class>[_n]/vars/<i>, numbered by class in the order of layers.
std::string weights_file(const std::filesystem::path& beside, const ordered_json& layers,
                         const std::vector<results::WeightTensor>& weights) {
  const storage::AtomicFile temporary(beside.string() + ".weights");  // never put in place
  auto file = storage::H5File::create(temporary);
  file.group("/layers");
  std::map<std::string, int> used;
  for (const auto& layer : layers) {
    const auto class_name = layer.at("class_name").get<std::string>();
    auto group = "/layers/" + snake_case(class_name);
    if (const int n = used[class_name]++; n > 0) group += "_" + std::to_string(n);
    const auto vars = group + (results::keeps_weights_in_cell(class_name) ? "/cell/vars" : "/vars");
    file.group(group);
    if (results::keeps_weights_in_cell(class_name)) file.group(group + "/cell"), file.group(group + "/vars");
    file.group(vars);
    int i = 0;
    for (const auto& tensor : weights)
      if (tensor.layer == layer.at("config").at("name"))
        file.write(vars + "/" + std::to_string(i++), tensor.data, tensor.shape);
  }
  file.close();
  return file_bytes(temporary.temporary());
}

}  // namespace

ordered_json keras_model(const Outgoing& network) {
  const auto& model = network.model;
  auto layers = results::keras_layers(model);
  if (!network.standardisation.mean.empty()) {
    auto at = layers.begin();
    if (model.mask_value()) ++at;  // what it looks for are raw features
    auto first = normalization(network.standardisation, model.input());
    first.inputs = at->inputs;
    for (auto it = at; it != layers.end(); ++it)
      for (auto& input : it->inputs)
        if (input == first.inputs[0]) input = "normalization";
    layers.insert(at, std::move(first));
  }
  return results::model_config(network.record.experiment, model.input(), layers);
}

ordered_json with_modules(const ordered_json& model) {
  auto out = model;
  for (auto& layer : out["config"]["layers"]) {
    auto& config = layer["config"];
    for (auto& [key, value] : config.items())
      if (value.is_object() && value.contains("class_name"))
        value = {{"module", "keras.regularizers"},
                 {"class_name", value["class_name"]},
                 {"config", value["config"]},
                 {"registered_name", nullptr}};
    if (config.contains("batch_input_shape")) {
      config["batch_shape"] = config["batch_input_shape"];
      config.erase("batch_input_shape");
    }
    ordered_json with{{"module", "keras.layers"},
                      {"class_name", layer["class_name"]},
                      {"config", std::move(config)},
                      {"registered_name", nullptr}};
    for (const auto* key : {"name", "inbound_nodes"})  // of a Functional model
      if (layer.contains(key)) with[key] = layer[key];
    layer = std::move(with);
  }
  ordered_json config{{"name", out["config"]["name"]}, {"trainable", true}};
  if (out["class_name"] == "Sequential") config["dtype"] = "float32";
  for (auto& [key, value] : out["config"].items())
    if (key != "name") config[key] = value;
  // (As Keras 3 itself names the modules: it exports no keras.Functional.)
  return {{"module", out["class_name"] == "Sequential" ? "keras" : "keras.src.models.functional"},
          {"class_name", out["class_name"]},
          {"config", std::move(config)},
          {"registered_name", nullptr}};
}

void write_keras_h5(const std::filesystem::path& path, const Outgoing& network) {
  const auto json = keras_model(network);
  storage::AtomicFile atomic(path);
  auto file = storage::H5File::create(atomic);
  results::write_keras_model(file, json.dump(), results::model_weights(network.model, network.arena));
  file.attribute("/", "timbre", description_json(network));
  file.close();
  atomic.commit();
}

void write_keras_archive(const std::filesystem::path& path, const Outgoing& network) {
  const auto json = with_modules(keras_model(network));
  const ordered_json metadata{{"keras_version", keras_3_version}, {"date_saved", ""}};
  const auto weights = weights_file(path, json.at("config").at("layers"),
                                    results::model_weights(network.model, network.arena));
  storage::AtomicFile file(path);
  storage::ZipWriter zip(file);
  zip.add("metadata.json", metadata.dump());
  zip.add("config.json", json.dump());
  zip.add("model.weights.h5", weights);
  zip.add("timbre.json", description_json(network));
  zip.finish();
}

}  // namespace timbre::exchange
