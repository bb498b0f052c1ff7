// The scores of a run: of its validation and training parts, of its test part beside baselines, and of a test part that
// was sealed until a study chose the run.
#pragma once

#include "experiment/run.hpp"
#include "results/run_record.hpp"
#include "training/step.hpp"

namespace timbre::experiment {

results::Evaluation evaluate_part(training::TrainingStep& step, const data::FeatureSet& features,
                                  const std::vector<std::int32_t>& rows);

/// Fills the record's test part and baselines, and enters the look into its ledger.
void score_test(results::RunRecord& record, training::TrainingStep& step, const Plan& plan,
                const data::FeatureSet& features, const data::Split& split, results::Look look,
                ThreadPool& pool);

/// Scores the test part of a finished run whose result is sealed, with the weights that it kept; the file is replaced whole or
/// not at all, and gains nothing but what score_test fills. Does nothing where it was scored before. `options.features`:
/// of this plan. Throws Error where the run's folder holds another run, or no such result.
void unseal(const Plan& plan, const RunOptions& options, const results::Look& look);

}  // namespace timbre::experiment
