// The keys of a run: what its result depends on, as one number.
#include <fmt/format.h>

#include <algorithm>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "device/algorithms.hpp"
#include "features/engine.hpp"
#include "run/run.hpp"
#include "storage/atomic_file.hpp"

namespace timbre::run {

namespace {

// SpecAugment has one place, whichever it is written at.
void use_short_place(config::Node& augmentation) {
  auto* features = augmentation.find("features");
  if (!features) return;
  if (auto* stripes = features->find("spec_augment")) {
    *augmentation.find("spec_augment") = *stripes;
    features->erase("spec_augment");
  }
  if (features->entries.empty()) augmentation.erase("features");
}

// The resolved configuration without what a result does not depend on: names, places, the machine.
config::Node anonymous(const Plan& plan) {
  auto node = dump_run_config(plan.config);
  if (auto* external = node.find("features")->find("external")) external->erase("file");  // a place
  *node.find("model") = plan.model.dump();
  node.erase("experiment"), node.erase("device"), node.erase("leakage");
  if (plan.initial) node.set("initialise_from", config::Node::text(plan.initial->hash));  // not its place
  if (auto* augmentation = node.find("augmentation")) use_short_place(*augmentation);
  // Whatever the device, since a run may go on on another. As usual, they leave the key as it is.
  if (auto algorithms = device::describe(device::algorithm_settings(), false); !algorithms.empty())
    node.set("algorithms", config::Node::plain(std::move(algorithms)), {});
  if (const auto& synthetic = plan.config.dataset.synthetic)
    *node.find("dataset")->find("synthetic") = audio::synthetic_identity(*synthetic);
  return node;
}

}  // namespace

std::string run_key(const Plan& plan, const data::FeatureTable& features, const data::Split& split) {
  auto node = anonymous(plan);
  node.erase("dataset"), node.erase("split");
  Hasher h;
  h.text("timbre-run 1").text(config::to_yaml(node)).text(features.key);
  for (const auto* rows : {&split.train, &split.validation, &split.test}) {
    h.text(std::to_string(rows->size()));
    h.bytes(rows->data(), rows->size() * sizeof(std::int32_t));
  }
  // A result also depends on the parts that artists and copies are in.
  const bool says = std::any_of(split.shares.begin(), split.shares.end(), [](const data::LeakShare& s) {
    return (s.relation == "artist" && s.known > 0) || (s.relation == "related" && s.found > 0);
  });
  if (says) {
    h.text("leaks");
    h.bytes(split.exposure.data(), split.exposure.size() * sizeof(split.exposure[0]));
    h.bytes(split.unit.data(), split.unit.size() * sizeof(split.unit[0]));
    for (const auto& s : split.shares)
      h.text(fmt::format("{} {} {} {} {} {}", s.part, s.other, s.relation, s.clips, s.known, s.found));
  }
  return h.hex().substr(0, 16);
}

std::string configuration_key(const Plan& plan) {
  auto node = anonymous(plan);
  auto* dataset = node.find("dataset");
  dataset->erase("path"), dataset->erase("manifest");
  return Hasher()
      .text("timbre-configuration 1")
      .text(config::to_yaml(node))
      .text(features::extraction_key(plan.config.features))
      .hex();
}

std::string folder_key(const std::filesystem::path& folder) {
  return first_line(storage::read_own_file(folder / "key").value_or(""));
}

std::string run_key(const Plan& plan, const data::FeatureTable& features) {
  return run_key(plan, features,
                 data::make_split(plan.config.split, features, std::uint64_t(plan.config.seed)));
}

}  // namespace timbre::run
