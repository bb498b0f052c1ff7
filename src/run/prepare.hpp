// What a plan's steps train on: rows, standardised as the training part asks, and the step itself. `run_experiment` and
// `--device check` begin with it.
#pragma once

#include <memory>
#include <string>

#include "data/row_source.hpp"
#include "data/split.hpp"
#include "data/standardise.hpp"
#include "data/waveform_copies.hpp"
#include "run/run.hpp"
#include "training/step.hpp"

namespace timbre::run {

struct Prepared {
  std::vector<data::FeatureSet> copies;   // of augmentation.waveform
  std::unique_ptr<data::RowSource> rows;  // of the features, then those of the copies
  data::Standardisation standardisation;  // empty where the configuration asks for none
  std::vector<std::int32_t> labels;       // of all rows
  std::vector<std::int32_t> train;        // rows to train on: those of the split, and their copies
};

/// The rows as they are, from memory or from the store's file.
std::unique_ptr<data::RowSource> open_rows(const data::FeatureSet& features);

/// A plan's rows, standardised by those of the training part (without copies).
Prepared prepare(const Plan& plan, const data::FeatureSet& features, const data::Split& split,
                 ThreadPool& pool, std::vector<data::FeatureSet> copies = {});

/// A step on a device, bound to the rows, with the classes weighted as the training part asks; rows and features must outlive
/// it.
std::unique_ptr<training::TrainingStep> make_step(const Plan& plan, const Prepared& prepared,
                                                  const data::FeatureSet& features, const data::Split& split,
                                                  const std::string& device, ThreadPool& pool);

/// Bytes of the device's memory that the plan's step takes with this many rows of data, from above; 0 where it has no memory
/// of its own. Its data do not count where they would take more than half of what is free: they stream then.
std::int64_t memory_needed(const Plan& plan, std::int64_t rows, const std::string& device);

}  // namespace timbre::run
