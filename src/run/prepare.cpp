#include "run/prepare.hpp"

#include <algorithm>

#include "device/backend.hpp"

namespace timbre::run {

std::unique_ptr<data::RowSource> open_rows(const data::FeatureSet& features) {
  if (features.features.empty())
    return std::make_unique<data::StoreRows>(features.file, features.rows(), features.shape.size(),
                                             features.rows_offset);
  return std::make_unique<data::MemoryRows>(features.features.data(), features.rows(), features.shape.size());
}

Prepared prepare(const Plan& plan, const data::FeatureSet& features, const data::Split& split,
                 ThreadPool& pool, std::vector<data::FeatureSet> copies) {
  Prepared out;
  out.copies = std::move(copies);
  out.rows = open_rows(features);
  const auto count = std::ssize(out.copies);
  out.train = with_place(plan.config, [&] { return data::with_copies(split.train, features.rows(), count); });
  if (plan.config.features.standardise)
    out.standardisation =
        data::fit_standardisation(*out.rows, features.shape[1], split.train, pool, plan.model.mask_value());
  if (count > 0) {
    std::vector<std::unique_ptr<data::RowSource>> sources;
    sources.push_back(std::move(out.rows));
    for (const auto& copy : out.copies) sources.push_back(open_rows(copy));
    out.rows = std::make_unique<data::RowsWithCopies>(std::move(sources));
  }
  if (plan.config.features.standardise) out.rows->standardise(out.standardisation);
  for (std::int64_t k = 0; k <= count; ++k)
    out.labels.insert(out.labels.end(), features.label.begin(), features.label.end());
  return out;
}

namespace {

/// But for the weights of classes.
training::StepOptions step_options(const Plan& plan) {
  const auto& t = plan.config.training;
  const auto augmentation = plan.config.augmentation.value_or(training::AugmentationOptions{}).of_features();
  return {.model = &plan.model,
          .loss = t.loss.get(),
          .optimizer = t.optimizer.get(),
          .batch_size = t.batch_size,
          .seed = std::uint64_t(plan.config.seed),
          .spec_augment = augmentation.spec_augment,
          .mixup = augmentation.mixup,
          .clipping = t.gradient_clipping,
          .average = t.ema};
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
  step->bind(*prepared.rows, prepared.labels.data());
  if (plan.initial) {
    auto state = step->export_state();
    put(*plan.initial, plan.model, state.arena);
    std::copy_n(state.arena.begin(), state.average.size(), state.average.begin());
    step->import_state(state);
  }
  return step;
}

std::int64_t memory_needed(const Plan& plan, std::int64_t rows, const std::string& device) {
  const auto [backend, number] = device::find(device);
  if (!backend->memory_needed) return 0;
  const auto options = step_options(plan);
  if (const auto& augmentation = plan.config.augmentation; augmentation && augmentation->waveform)
    rows *= 1 + augmentation->waveform->copies;
  const auto data = rows * plan.model.input().size() * std::int64_t(sizeof(float));
  return backend->memory_needed(options, data > backend->free_memory(number) / 2 ? 0 : rows);
}

}  // namespace timbre::run
