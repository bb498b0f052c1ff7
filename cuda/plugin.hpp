// The plug-in's entries for the registry of libtimbre.so; device::Backend describes them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "device/backend.hpp"

/// Called once, after the plug-in is loaded.
extern "C" void timbre_register_plugin();

namespace timbre::cuda {

/// "NVIDIA H200"
std::string device_name(int number);
/// Bytes.
std::int64_t free_memory(int number);

device::EngineMaker open_features(int number, const features::FeatureOptions& options,
                                  std::int64_t segment_samples);
/// Says which kinds of feature the CPU extracts, since there is no kernel for them; then it extracts all of them.
std::string what_the_cpu_extracts(const features::FeatureOptions& options);
std::unique_ptr<nn::Network> make_network(int number, const nn::NetworkOptions& options, ThreadPool& pool);
std::unique_ptr<training::TrainingStep> make_step(int number, const training::StepOptions& options,
                                                  ThreadPool& pool);

}  // namespace timbre::cuda
