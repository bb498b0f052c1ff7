// What a configuration comes to before any training.
#include <fmt/format.h>

#include <functional>

#include "core/text.hpp"
#include "data/external.hpp"
#include "device/algorithms.hpp"
#include "features/engine.hpp"
#include "run/guard.hpp"
#include "run/prepare.hpp"
#include "run/record.hpp"
#include "run/run.hpp"

namespace timbre::run {

namespace {

/// The network with the window of `augmentation.features.crop` before it. (A resolved configuration has it there.)
nn::Model with_crop(RunConfig& config, const training::CropOptions& crop,
                    const std::function<nn::Model(const Shape&)>& parse, const Shape& input) {
  auto options = config::Node::map(), layer = config::Node::map();
  options.set("frames", config::Node::plain(std::to_string(crop.frames)));
  layer.set("random_crop", std::move(options));
  auto& layers = config.model.node.items;
  if (layers.empty() || config::to_yaml(layers.front()) != config::to_yaml(layer)) {
    parse(Shape{crop.frames, input[1]});  // an error names a layer's place in the list as written
    layers.insert(layers.begin(), std::move(layer));
  }
  return parse(input);
}

}  // namespace

Plan make_plan(RunConfig config, const data::ClipIndex* known) {
  device::algorithm_settings();  // throws where a variable has an unknown value
  auto clips =
      with_place(config, [&] { return known ? *known : data::index_clips(config.dataset, config.features); });
  data::resolve_external(config.features, clips);
  with_place(config, [&] { data::resolve_segments(config.dataset, clips); });
  with_place(config, [&] {
    features::require_whole_clips(config.features,
                                  config.dataset.segment && config.dataset.segment->length.whole);
  });
  const auto samples = config.dataset.segment_samples(config.features.sample_rate);
  const auto input = with_place(config, [&] { return features::feature_shape(config.features, samples); });
  if (config.augmentation && config.augmentation->waveform && clips.external)
    with_place(config, [] {
      fail_at("augmentation.waveform", "changes sound, and features from elsewhere have none");
    });
  if (config.augmentation)
    with_place(config,
               [&] { training::require_fitting(*config.augmentation, input, config.features.standardise); });
  const auto parse = [&](const Shape& shape) {
    return nn::Model::parse(config::Reader(config.model.node, "model"), shape,
                            std::int64_t(clips.label_names.size()), config.regularisation);
  };
  const auto crop = config.augmentation ? config.augmentation->of_features().crop : std::nullopt;
  auto model = crop ? with_crop(config, *crop, parse, input) : parse(input);
  if (config.freeze) with_place(config, [&] { model.freeze(*config.freeze); });
  std::shared_ptr<const InitialWeights> initial;
  if (config.initialise_from)
    initial = with_place(config, [&] {
      return std::make_shared<const InitialWeights>(initial_weights(*config.initialise_from, model));
    });
  if (const auto& weights = config.training.class_weights)  // whether its classes are there
    with_place(config, [&] { return training::weights_of(*weights, clips.label_names, {}); });
  return {std::move(config), std::move(clips), std::move(model), samples, nullptr, std::move(initial)};
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
                       number_text(plan.config.dataset.segment_seconds),
                       features::name_of(plan.config.features), plan.model.input().str());
  if (const auto cuts = data::describe(table.cuts); !cuts.empty()) out += cuts + "\n";
  if (const auto note = features::feature_note(plan.config.features); !note.empty()) out += note + "\n";
  if (plan.initial) out += describe(*plan.initial) + "\n";
  out += fmt::format("split by {}\n", printable(plan.config.split.by.value_or(plan.config.split.group_by)));
  out += split_counts(split, table);
  for (const auto& note : split_notes(plan.config, split)) out += note + "\n";
  return out;
}

}  // namespace timbre::run
