#include "run/prepare.hpp"

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
  auto step = training::make_step(
      device,
      {&plan.model, t.loss.get(), t.optimizer.get(), t.batch_size, std::uint64_t(plan.config.seed),
       std::move(weights), plan.config.augmentation ? plan.config.augmentation->spec_augment : std::nullopt},
      pool);
  step->bind(*prepared.rows, features.label.data());
  return step;
}

}  // namespace timbre::run
