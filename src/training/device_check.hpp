// Two devices' training steps side by side on the same batches, to find the first layer whose numbers differ.
//
// Both begin every step from the same state (the reference's), so that differences do not add up. Compared,
// in the order in which they are computed:
//
//   the output of each layer           largest |a - b| over the largest |b|
//   the gradient of each parameter     the same, over the largest |b| of all gradients of the layer (that of a
//                                      bias before a batch normalisation is nothing but rounding)
//   the update of each layer           |a - b| over |b|, as vectors of all its parameters; loosely, since Adam's
//                                      first steps make whole steps of gradients that are nothing but rounding
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "training/step.hpp"

namespace timbre::training {

struct CheckTolerances {
  double output = 1e-4, gradient = 1e-3, update = 0.3;
};

struct CheckLine {
  std::string layer, what;  // "conv2d_1", "gradient of kernel"
  double difference = 0;    // the largest of all steps
  double tolerance = 0;
  std::int64_t first_step = 0;  // from 1: the first that exceeded the tolerance; 0: none did
};

struct CheckReport {
  std::vector<CheckLine> lines;    // in order of computation
  std::optional<CheckLine> first;  // what exceeded its tolerance first
};

/// Trains both on the batches; both must have been bound, and hold the state to begin with. At the first step
/// that differs too much the check ends.
CheckReport check_devices(const nn::Model& model, TrainingStep& reference, TrainingStep& other,
                          std::span<const std::vector<std::int32_t>> batches,
                          const CheckTolerances& tolerances = {});

/// The lines as a table, and what it comes to.
std::string describe(const CheckReport& report);

}  // namespace timbre::training
