#include "exchange/keras_reader.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "results/run_record.hpp"
#include "storage/hdf5.hpp"
#include "storage/zip.hpp"

namespace timbre::exchange {

template <class A>
void travel(A& parcel, KerasTensor& t) {
  auto extents = t.shape.extents();
  parcel(t.name, extents, t.type, t.data);
  t.shape = Shape(std::move(extents));
}
template <class A>
void travel(A& parcel, KerasWeights& w) {
  parcel(w.layer, w.tensors);
}
template <class A>
void travel(A& parcel, KerasFile& f) {
  parcel(f.archive, f.version, f.config, f.description, f.weights);
}

namespace {

namespace fs = std::filesystem;
using storage::H5File;

constexpr std::uint64_t most_text = std::uint64_t{4} << 20;   // of config.json and its like
constexpr std::uint64_t most_image = std::uint64_t{2} << 30;  // of model.weights.h5

KerasTensor read_tensor(const H5File& file, const std::string& object, std::string name) {
  KerasTensor t{std::move(name), file.shape(object), file.type_name(object), {}};
  if (t.type == "float32") t.data = file.read_floats(object);
  return t;
}

std::string text_or_nothing(const H5File& file, const std::string& name) {
  return file.has_attribute("/", name) ? file.text_attribute("/", name) : "";
}

/// The last part of a path, without ":0".
std::string last_name(const std::string& path) {
  auto name = path.substr(path.rfind('/') + 1);
  if (const auto colon = name.rfind(':'); colon != name.npos) name.resize(colon);
  return name;
}

KerasFile read_h5(const fs::path& path) {
  const auto file = H5File::open(path);
  const auto shown = printable(path.string());
  if (results::is_result(file))
    fail_request("{}: is a result of Timbre, which predict and evaluate use as it is", shown);
  KerasFile out;
  out.config = text_or_nothing(file, "model_config");
  if (out.config.empty()) {
    const bool weights = file.has_attribute("/", "layer_names") || file.exists("/layers");
    if (weights)
      fail("{}: holds weights alone, without the architecture (model_config): save the whole model", shown);
    fail_request("{}: is an HDF5 file, but no model of Keras", shown);
  }
  if (out.config.size() > most_text)
    fail("{}: model_config: is longer than {} bytes", shown, grouped(most_text));
  out.version = text_or_nothing(file, "keras_version");
  out.description = text_or_nothing(file, "timbre");
  if (!file.has_attribute("/model_weights", "layer_names") &&
      !file.has_attribute("/model_weights", "layer_names0"))
    fail("{}: holds no weights (/model_weights)", shown);
  for (const auto& layer : file.texts_attribute("/model_weights", "layer_names")) {
    const auto group = "/model_weights/" + layer;
    auto& entry = out.weights.emplace_back(KerasWeights{layer, {}});
    if (!file.exists(group)) continue;  // its weights are missing, which is said where they are needed
    for (const auto& name : file.texts_attribute(group, "weight_names"))
      entry.tensors.push_back(read_tensor(file, group + "/" + name, last_name(name)));
  }
  return out;
}

/// The tensors 0, 1, ... of a group of an archive.
void read_vars(const H5File& file, const std::string& vars, KerasWeights& out) {
  if (!file.exists(vars)) return;
  const auto children = file.children(vars);
  for (std::size_t i = 0; i < children.size(); ++i) {
    auto name = std::to_string(i);
    const auto object = vars + "/" + name;
    if (!file.exists(object)) fail("{}: {}: is missing", printable(file.path().string()), printable(object));
    out.tensors.push_back(read_tensor(file, object, std::move(name)));
  }
}

KerasFile read_archive(const fs::path& path) {
  const auto shown = printable(path.string());
  const auto read = [&] {
    const storage::ZipFile zip(path);
    if (!zip.find("config.json"))
      fail_request("{}: is a zip archive, but no model of Keras: it holds no config.json", shown);
    KerasFile out;
    out.archive = true;
    out.config = zip.read("config.json", most_text);
    if (zip.find("timbre.json")) out.description = zip.read("timbre.json", most_text);
    if (zip.find("metadata.json")) {
      const auto metadata = nlohmann::json::parse(zip.read("metadata.json", 1 << 16), nullptr, false);
      if (metadata.is_object() && metadata.contains("keras_version") && metadata["keras_version"].is_string())
        out.version = metadata["keras_version"];
    }
    const auto file = H5File::open_image(path / "model.weights.h5", zip.read("model.weights.h5", most_image));
    // (Keras 2 called it so.)
    const std::string root = file.exists("/layers") ? "/layers" : "/_layer_checkpoint_dependencies";
    if (!file.exists(root)) return out;
    for (const auto& child : file.children(root)) {
      if (!child.is_group) continue;
      auto& entry = out.weights.emplace_back(KerasWeights{child.name, {}});
      const auto group = root + "/" + child.name;
      read_vars(file, group + "/vars", entry);
      if (file.exists(group + "/cell")) read_vars(file, group + "/cell/vars", entry);
    }
    return out;
  };
  try {
    return read();
  } catch (const storage::BadArchive& e) {
    fail("{}", e.what());  // damaged, as an HDF5 file may be
  } catch (const RequestError&) {
    throw;
  } catch (const Error& e) {
    const std::string what = e.what();
    if (what.starts_with(shown)) throw;
    fail("{}: {}", shown, what);
  }
}

KerasFile read_here(const fs::path& path) {
  char mark[4] = {};
  std::ifstream(path, std::ios::binary).read(mark, sizeof mark);
  return storage::looks_like_zip({mark, sizeof mark}) ? read_archive(path) : read_h5(path);
}

}  // namespace

KerasFile read_keras_file(const fs::path& file, const storage::Trust& trust) {
  return storage::read_behind_door(file, trust, [&] { return read_here(file); });
}

}  // namespace timbre::exchange
