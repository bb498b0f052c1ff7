#include "run/prepare.hpp"

#include "device/backend.hpp"

namespace timbre::run {

std::unique_ptr<data::RowSource> open_rows(const data::FeatureSet& features) {
  if (features.features.empty())
    return std::make_unique<data::StoreRows>(features.file, features.rows(), features.shape.size(),
                                             features.rows_offset);
  return std::make_unique<data::MemoryRows>(features.features.data(), features.rows(), features.shape.size());
}

Prepared prepare(const Plan& plan, const data::FeatureSet& features, const data::Split& split,
                 ThreadPool& pool) {
  Prepared out{open_rows(features), {}};
  if (plan.config.features.standardise) {
    out.standardisation = data::fit_standardisation(*out.rows, features.shape[1], split.train, pool);
    out.rows->standardise(out.standardisation);
  }
  return out;
}

namespace {

/// But for the weights of classes.
training::StepOptions step_options(const Plan& plan) {
  const auto& t = plan.config.training;
  return {.model = &plan.model,
          .loss = t.loss.get(),
          .optimizer = t.optimizer.get(),
          .batch_size = t.batch_size,
          .seed = std::uint64_t(plan.config.seed),
          .spec_augment = plan.config.augmentation ? plan.config.augmentation->spec_augment : std::nullopt};
}

}  // namespace

std::unique_ptr<training::TrainingStep> make_step(const Plan& plan, const Prepared& prepared,
                                                  const data::FeatureSet& features, const data::Split& split,
                                                  const std::string& device, ThreadPool& pool) {
  const auto& t = plan.config.training;
  std::vector<float> weights;
  if (t.class_weights) {
    std::vector<std::int32_t> labels;
    for (const auto row : split.train) labels.push_back(features.label[std::size_t(row)]);
    weights = with_place(
        plan.config, [&] { return training::weights_of(*t.class_weights, plan.clips.label_names, labels); });
  }
  auto options = step_options(plan);
  options.class_weights = std::move(weights);
  auto step = training::make_step(device, options, pool);
  step->bind(*prepared.rows, features.label.data());
  return step;
}

std::int64_t memory_needed(const Plan& plan, std::int64_t rows, const std::string& device) {
  const auto [backend, number] = device::find(device);
  if (!backend->memory_needed) return 0;
  const auto options = step_options(plan);
  const auto data = rows * plan.model.input().size() * std::int64_t(sizeof(float));
  return backend->memory_needed(options, data > backend->free_memory(number) / 2 ? 0 : rows);
}

}  // namespace timbre::run
