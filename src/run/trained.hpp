// The trained network of a result file, looked at before it is used: what `predict` and `evaluate` begin with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/segments.hpp"
#include "data/standardise.hpp"
#include "nn/model.hpp"
#include "results/run_record.hpp"
#include "run/run_config.hpp"

namespace timbre::run {

struct Trained {
  results::RunRecord record;
  RunConfig config;  // the record's
  data::Cutting cutting;
  nn::Model model;
  data::Standardisation standardisation;  // means and deviations are empty where the run did not standardise
  std::int64_t rows_at_once = 1;          // that the network takes without using too much memory

  /// [arena] The record's weights, as the model has them.
  std::vector<float> weights() const;
};

/// Throws RequestError where the file is no result; Error where it holds no network, where weights or standardisation do not
/// fit the configuration or are not finite, and where one segment would take too much memory.
Trained load_trained(const std::filesystem::path& result, const storage::Trust& trust = {});

}  // namespace timbre::run
