#include "study/study_index.hpp"

#include "config/settings.hpp"
#include "core/text.hpp"
#include "device/device.hpp"
#include "features/engine.hpp"
#include "run/guard.hpp"

namespace timbre::study {

namespace {

// Features of one device are not another's to the last bit. Where one asked for by name is not there, its runs say so.
std::string device_of(const run::RunConfig& config) {
  return device::backend_of(config.device == "auto" ? device::choose("auto").name : config.device);
}

}  // namespace

std::size_t StudyIndex::data_of(const run::RunConfig& config) {
  auto text = config::to_yaml(schema(config::of<data::DatasetOptions>{}).dump(config.dataset));
  if (const auto& external = config.features.external)
    text += config::to_yaml(schema(config::of<features::ExternalOptions>{}).dump(*external));
  const auto [known, fresh] = data_.emplace(text, study_.data.size());
  if (fresh) {
    auto plan = run::make_plan(config);  // tells a missing data set with its place
    study_.surveys.push_back(run::survey_of(plan, runs_, pool_, watcher_));
    study_.data.push_back(std::move(plan.clips));
  }
  return known->second;
}

void StudyIndex::place(StudyRun& run) {
  run.data = data_of(run.config);
  // (run.data tells how clips are cut, too.)
  const auto features =
      fmt::format("{} {} {}", run.data, device_of(run.config), features::extraction_key(run.config.features));
  run.features = features_.emplace(features, features_.size()).first->second;
  study_.feature_sets = features_.size();
}

}  // namespace timbre::study
