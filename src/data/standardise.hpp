// Standardisation per coefficient: x' = (x - mean_f) / std_f, the mean and deviation of coefficient f over all
// frames of the training rows only, so that nothing of validation and test leaks into them.
//
// Where the network begins with masking, frames that it masks neither count nor change: it finds them as they were.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/parallel.hpp"

namespace timbre::data {

/// mean, std [F]. The deviation is the population's; where it is 0 (a constant coefficient), std is 1.
struct Standardisation {
  std::vector<float> mean, std;
  std::optional<float> masked = {};  // the value of all coefficients of a frame that stays as it is
};

class RowSource;

/// features: rows of [T, F], F = coefficients; rows: the training rows.
Standardisation fit_standardisation(const RowSource& features, std::int64_t coefficients,
                                    std::span<const std::int32_t> rows, ThreadPool& pool,
                                    std::optional<float> masked = {});

/// In place, on features [..., F].
void standardise_frames(const Standardisation& s, std::span<float> features);

}  // namespace timbre::data
