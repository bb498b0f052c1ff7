// What a configuration comes to before any training.
#include <fmt/format.h>

#include "core/text.hpp"
#include "data/external.hpp"
#include "device/algorithms.hpp"
#include "features/engine.hpp"
#include "run/guard.hpp"
#include "run/prepare.hpp"
#include "run/record.hpp"
#include "run/run.hpp"

namespace timbre::run {

Plan make_plan(RunConfig config, const data::ClipIndex* known) {
  device::algorithm_settings();  // throws where a variable has an unknown value
  auto clips =
      with_place(config, [&] { return known ? *known : data::index_clips(config.dataset, config.features); });
  data::resolve_external(config.features, clips);
  with_place(config, [&] { data::resolve_segments(config.dataset, clips); });
  const auto samples = config.dataset.segment_samples(config.features.sample_rate);
  const auto input = with_place(config, [&] { return features::feature_shape(config.features, samples); });
  auto model = nn::Model::parse(config::Reader(config.model.node, "model"), input,
                                std::int64_t(clips.label_names.size()), config.regularisation);
  if (config.augmentation)
    with_place(config,
               [&] { training::require_fitting(*config.augmentation, input, config.features.standardise); });
  if (const auto& weights = config.training.class_weights)  // whether its classes are there
    with_place(config, [&] { return training::weights_of(*weights, clips.label_names, {}); });
  return {std::move(config), std::move(clips), std::move(model), samples};
}

std::string resolved_yaml(const Plan& plan) {
  auto node = dump_run_config(plan.config);
  *node.find("model") = plan.model.dump();
  return config::to_yaml(node);
}

std::string describe_plan(const Plan& plan, const data::Survey& survey) {
  const auto [table, split] = preview(plan, survey);
  std::string out = resolved_yaml(plan) + "\n" + plan.model.summary() + "\n";
  out +=
      fmt::format("data: {} clips of {} genres in {}{}\n", plan.clips.clips.size(),
                  plan.clips.label_names.size(), plan.clips.synthetic ? "no file" : plan.clips.root.string(),
                  plan.clips.synthetic ? " (SYNTHETIC)" : "");
  for (const auto& note : plan.clips.notes) out += note + "\n";
  for (const auto& bad : table.bad_files)
    out += fmt::format("skipped: {}: {}\n", printable(bad.path), printable(bad.reason));
  if (const auto& external = plan.config.features.external)
    out += fmt::format("features from elsewhere, {}, of {}\n", plan.model.input().str(),
                       printable(external->file.paths.front().string()));
  else
    out += fmt::format("segments of {} samples ({} s), features {} {}\n", plan.segment_samples,
                       number_text(plan.config.dataset.segment_seconds), plan.config.features.kind,
                       plan.model.input().str());
  if (const auto cuts = data::describe(table.cuts); !cuts.empty()) out += cuts + "\n";
  if (const auto note = features::feature_note(plan.config.features); !note.empty()) out += note + "\n";
  out += fmt::format("split by {}\n", printable(plan.config.split.by.value_or(plan.config.split.group_by)));
  out += split_counts(split, table);
  for (const auto& note : split_notes(plan.config, split)) out += note + "\n";
  return out;
}

}  // namespace timbre::run
