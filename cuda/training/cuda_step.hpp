// The training step on a CUDA device: gather, forward, loss, backward and update, captured as one graph and
// replayed (training/step.hpp says what a step is; shapes, layouts and order of calls are those of its
// contract). Data lie on the device, or stream through windows where they do not fit.
#pragma once

#include <memory>

#include "training/step.hpp"

namespace timbre::cuda {

/// See training::StepDevice::make. Throws Error where the device fails or has no memory left.
std::unique_ptr<training::TrainingStep> make_cuda_step(const training::StepOptions& options,
                                                       ThreadPool& pool);

}  // namespace timbre::cuda
