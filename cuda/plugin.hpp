// What the plug-in adds to the registries of libtimbre.so.
#pragma once

#include "features/engine.hpp"

/// Called once, after the plug-in is loaded.
extern "C" void timbre_register_plugin();

namespace timbre::cuda {

/// See features::FeatureDevice::open.
features::EngineMaker open_features(const features::FeatureOptions& options, std::int64_t segment_samples);

}  // namespace timbre::cuda
