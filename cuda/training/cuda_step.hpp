#pragma once

#include <memory>

#include "training/step.hpp"

namespace timbre::cuda {

/// See training::StepDevice::make.
std::unique_ptr<training::TrainingStep> make_cuda_step(const training::StepOptions& options,
                                                       ThreadPool& pool);

}  // namespace timbre::cuda
