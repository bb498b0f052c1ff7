// Compares two results of one run: whether it was reproduced to the last bit, or where not.
#pragma once

#include <string>
#include <vector>

#include "results/run_record.hpp"

namespace timbre::results {

/// Lines, one per part of the records that is not the same bytes: status, epochs, history ("history: val_loss, from
/// epoch 3 on, by at most 1.2e-06"), split, standardisation, predictions, weights ("weights: dense/kernel, by at most
/// 3.4e-07 of 0.52"), bad files. Empty: the same. Times, places and the machine do not count. NaN equals NaN. Weights
/// count where both records hold them (read_result's `weights`).
std::vector<std::string> differences(const RunRecord& a, const RunRecord& b);

/// The machine's and the library's part: "instruction_set: avx512 and avx2", "version: 0.1.0 and 0.2.0".
std::vector<std::string> environment_differences(const RunRecord& a, const RunRecord& b);

}  // namespace timbre::results
