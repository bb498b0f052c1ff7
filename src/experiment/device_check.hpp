// --device check: the first steps of a configuration on the CPU and on the accelerator, side by side.
#pragma once

#include "experiment/run.hpp"

namespace timbre::experiment {

/// Prints a line per tensor on stdout, and what came of it. Throws Error where the accelerator cannot be
/// used, or where a layer differs by more than its tolerance: then the message names the first one.
void check_device(const Plan& plan, const RunOptions& options, std::int64_t steps = 10);

}  // namespace timbre::experiment
