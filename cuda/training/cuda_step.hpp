// The training step and the network on this thread's GPU, which must be it in every call (cuda/support/on_device.hpp sees
// to that).
#pragma once

#include <memory>
#include <string>

#include "nn/network.hpp"
#include "training/step.hpp"

namespace timbre::cuda {

/// `gpu`: its name, for states that go on there alone.
std::unique_ptr<training::TrainingStep> make_cuda_step(const std::string& gpu,
                                                       const training::StepOptions& options);
std::unique_ptr<nn::Network> make_cuda_network(const nn::NetworkOptions& options);

}  // namespace timbre::cuda
