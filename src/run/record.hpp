// The results of a run: the record that result.h5 holds, and the figures on the terminal.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/standardise.hpp"
#include "results/run_record.hpp"
#include "run/run.hpp"

namespace timbre::run {

/// Evaluates given probabilities of some rows.
results::Evaluation evaluation_of(std::span<const float> probabilities, const data::FeatureSet& features,
                                  const std::vector<std::int32_t>& rows);
/// Evaluates a step's predictions of some rows.
results::Evaluation evaluate_part(training::TrainingStep& step, const data::FeatureSet& features,
                                  const std::vector<std::int32_t>& rows);

/// Of each test clip, how near it comes to what was trained on, and what it shares with other clips.
void add_exposure(results::Evaluation& test, const data::Split& split, const std::vector<data::Clip>& clips);

/// All but predictions and weights.
results::RunRecord make_record(const Plan& plan, const std::string& key, const data::FeatureSet& features,
                               const data::Split& split, const data::Standardisation& standardisation,
                               const training::TrainingResult& trained, const std::string& device,
                               int threads);

/// Stamps and the headline figures of a finished run.
void show_scores(Watcher& watcher, const results::RunRecord& r);

}  // namespace timbre::run
