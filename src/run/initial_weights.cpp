#include "run/initial_weights.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "run/trained.hpp"

namespace timbre::run {

namespace {

constexpr auto key = "initialise_from";

Trained trained_of(const std::filesystem::path& file) {
  try {
    return load_trained(file);
  } catch (const Error& e) {
    fail_at(key, "{}", e.what());
  }
}

std::string hash_of(const std::vector<results::WeightTensor>& weights) {
  Hasher hasher;
  for (const auto& t : weights) {
    hasher.text(t.layer).text(t.name).text(t.shape.str());
    hasher.bytes(t.data.data(), t.data.size() * sizeof(float));
  }
  return hasher.hex();
}

/// "dense kernel (512, 10), here (512, 4)", or "" where all is alike.
std::string difference(const nn::Model& model, const nn::Model::Entry& entry,
                       const std::vector<results::WeightTensor>& found) {
  if (found.size() != entry.parameters.size())
    return fmt::format("{} has {}, here {}", entry.name, counted(std::ssize(found), "parameter"),
                       entry.parameters.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    const auto& spec = model.parameters()[std::size_t(entry.parameters[k])].spec;
    if (found[k].name != spec.name || found[k].shape != spec.shape)
      return fmt::format("{} has {} {}, here {} {}", entry.name, printable(found[k].name),
                         found[k].shape.str(), spec.name, spec.shape.str());
  }
  return "";
}

}  // namespace

InitialWeights initial_weights(const std::filesystem::path& file, const nn::Model& model) {
  const auto trained = trained_of(file);
  const auto& weights = trained.record.weights;
  InitialWeights out{printable(file.string()), hash_of(weights), {}, {}, {}};
  std::vector<std::string> different;
  for (const auto& entry : model.layers()) {
    if (entry.parameters.empty()) continue;
    std::vector<results::WeightTensor> found;
    std::ranges::copy_if(weights, std::back_inserter(found),
                         [&](const results::WeightTensor& t) { return t.layer == entry.name; });
    const auto why = found.empty() ? "" : difference(model, entry, found);
    if (found.empty() || (!why.empty() && &entry == &model.layers().back())) {
      out.anew.push_back(entry.name);
    } else if (!why.empty()) {
      different.push_back(why);
    } else {
      out.layers.push_back(entry.name);
      std::ranges::move(found, std::back_inserter(out.taken));
    }
  }
  if (!different.empty())
    fail_at(key, "{}: the shapes of layers of the same name differ: {}", out.file, join(different, "; "));
  if (out.layers.empty()) fail_at(key, "{}: no layer of it has the name and shape of one here", out.file);
  return out;
}

void put(const InitialWeights& weights, const nn::Model& model, std::span<float> arena) {
  auto tensor = weights.taken.begin();
  for (const auto& entry : model.layers()) {
    if (std::ranges::find(weights.layers, entry.name) == weights.layers.end()) continue;
    for (const int index : entry.parameters) {
      std::ranges::copy(tensor->data, arena.begin() + model.parameters()[std::size_t(index)].offset);
      ++tensor;
    }
  }
}

std::string describe(const InitialWeights& weights) {
  auto out = fmt::format("begins with the weights of {} from {}", join(weights.layers), weights.file);
  if (!weights.anew.empty()) out += fmt::format("; anew: {}", join(weights.anew));
  return out;
}

}  // namespace timbre::run
