// The test part of a run: scored beside baselines, when the run ends or, where it was sealed, when a study has chosen it.
#pragma once

#include "results/run_record.hpp"
#include "run/run.hpp"

namespace timbre::run {

/// Puts the scores of the test part into the record, and baselines beside them, and enters the look into its ledger.
void score_test(results::RunRecord& record, results::Evaluation test, const Plan& plan,
                const data::FeatureSet& features, const data::Split& split, results::Look look,
                ThreadPool& pool);

/// Probabilities [rows, C] that a result's kept weights give to some rows of features (standardised as in training), on a
/// device as device::choose gave it, `at_once` rows in a batch: their bytes do not depend on it. Throws Error where the weights
/// do not fit the model.
std::vector<float> predict_rows(const results::RunRecord& record, const nn::Model& model,
                                const data::FeatureSet& features, const std::vector<std::int32_t>& which,
                                const std::string& device, ThreadPool& pool, std::int64_t at_once = 64);

/// Scores the test part of a finished run whose result is sealed, with the weights that it kept; the file is replaced whole or
/// not at all, and gains nothing but what score_test fills. Does nothing where it was scored before. `options.features`:
/// of this plan. Throws Error where the run's folder holds another run, or no such result.
void unseal(const Plan& plan, const RunOptions& options, const results::Look& look);

}  // namespace timbre::run
