// Trained networks for the tests of this folder: the configurations of configs/ and odd ones, a few steps on made-up music.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <memory>

#include "audio/synthetic.hpp"
#include "core/error.hpp"
#include "exchange/outgoing.hpp"
#include "features/engine.hpp"
#include "nn/network.hpp"
#include "run/run_config.hpp"
#include "storage/temporary_folder.hpp"
#include "training/step.hpp"

namespace timbre::exchange::test {

using timbre::test::bytes_of;
using timbre::test::message_of;
using timbre::test::TemporaryFolder;

inline void write_bytes(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

/// One network, and what it makes of one clip of each of ten synthetic genres.
struct Example {
  run::RunConfig config;
  std::int64_t samples = 0;
  std::vector<float> audio;     // [10, samples]
  std::vector<float> features;  // [10, T, F], as extracted
  data::Standardisation standardisation;
  std::unique_ptr<nn::Model> model;
  std::vector<float> arena;
  std::vector<float> probabilities;  // [10, classes]
  results::RunRecord record;

  Outgoing outgoing() const {
    return {*model, arena, standardisation, config.features, samples, samples, record};
  }
};

/// From the text of a configuration; its data set is not read.
inline Example example_from(const std::string& yaml, const std::string& source = "test") {
  constexpr std::int64_t genres = 10;
  Example e;
  e.config = run::parse_run_config(yaml, source);
  const auto& options = e.config.features;
  e.samples = e.config.dataset.segment_samples(options.sample_rate);
  const audio::SyntheticOptions clips{.clips_per_genre = 1, .clip_seconds = 4};  // sounds, whatever the rate
  std::vector<std::int32_t> label, all;
  for (std::int32_t g = 0; g < genres; ++g) {
    auto one = audio::synthesize(clips, g, 0);
    one.resize(std::size_t(e.samples));
    if (yaml.find("masking") != yaml.npos)  // silence, at the beginning or the end
      std::fill_n(one.begin() + (g % 2 == 0 ? 0 : e.samples - e.samples / 2), e.samples / 2, 0.0f);
    e.audio.insert(e.audio.end(), one.begin(), one.end());
    label.push_back(g), all.push_back(g);
    e.record.label_names.push_back("genre " + std::to_string(g));
  }
  const auto engine = features::make_cpu_feature_engine(options, e.samples);
  const auto shape = engine->shape();
  e.features.resize(std::size_t(genres * shape.size()));
  engine->compute(e.audio.data(), genres, e.features.data());
  e.model = std::make_unique<nn::Model>(
      nn::Model::parse(config::Reader(e.config.model.node, "model"), shape, genres, e.config.regularisation));
  ThreadPool pool(2);
  auto rows = e.features;
  if (options.standardise) {
    const data::MemoryRows source_rows(e.features.data(), genres, shape.size());
    e.standardisation =
        data::fit_standardisation(source_rows, shape.back(), all, pool, e.model->mask_value());
    data::standardise_frames(e.standardisation, rows);
  }
  training::TrainingOptions defaults;
  const auto step = training::make_cpu_step(
      {e.model.get(), defaults.loss.get(), defaults.optimizer.get(), genres, 3}, pool);
  const data::MemoryRows source_rows(rows.data(), genres, shape.size());
  step->bind(source_rows, label.data());
  for (int i = 0; i < 3; ++i) step->train(all);
  e.arena = step->export_state().arena;
  e.probabilities.resize(std::size_t(genres * genres));
  nn::make_cpu_network({e.model.get(), e.arena}, pool)->predict(rows.data(), genres, e.probabilities.data());
  e.record.experiment = e.config.experiment;
  e.record.key = "0123456789abcdef0123456789abcdef";
  e.record.version = "0.1.0";
  e.record.config = config::to_yaml(schema(config::of<run::RunConfig>{}).dump(e.config));
  e.record.feature_mean = e.standardisation.mean, e.record.feature_std = e.standardisation.std;
  return e;
}

/// Of configs/NAME.yaml.
inline Example example_of(const std::string& name) {
  return example_from(bytes_of(std::string(TIMBRE_SOURCE_DIR "/configs/") + name + ".yaml"), name);
}

/// A small one: `features` and `model` in YAML's flow style.
inline Example small_example(const std::string& features, const std::string& model, double seconds = 0.5) {
  return example_from("experiment: small\ndataset: {path: unknown, segment_seconds: " +
                      std::to_string(seconds) + "}\nfeatures: " + features + "\nmodel: " + model + "\n");
}

inline const std::string small_model = "[flatten, dense: {units: classes, activation: softmax}]";

/// Runs check_exchange.py (see there) with the Python that TIMBRE_PYTHON names; skips without it.
void check_with_python(const Example& example, const std::string& what, const std::filesystem::path& folder,
                       const std::filesystem::path& model, double tolerance);

}  // namespace timbre::exchange::test
