// A back end makes features, networks and training steps; there is one entry for each kind of device. The CPU is built in;
// other back ends are plug-ins that add their entry when they are loaded (device.hpp).
//
// A device is named by its back end, "cpu" or "cuda", and by its number where there are several: "cuda:1".
// The names of other rooms are forward declarations: this room is below them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/registry.hpp"

namespace timbre {
class ThreadPool;
}
namespace timbre::features {
class FeatureEngine;
struct FeatureOptions;
}  // namespace timbre::features
namespace timbre::nn {
class Network;
struct NetworkOptions;
}  // namespace timbre::nn
namespace timbre::training {
class TrainingStep;
struct StepOptions;
}  // namespace timbre::training

namespace timbre::device {

/// Makes the engine of one thread. Engines of one maker may share what they run on (a GPU's buffers, say), and all give
/// the same numbers. Several threads may call it at once.
using EngineMaker = std::function<std::unique_ptr<features::FeatureEngine>()>;

/// Entry of the registry of back ends. `number` counts the devices of one back end from 0. The makers throw Error where
/// the device fails or has no memory left; the pool is for the host's share of the work, and outlives what is made.
struct Backend {
  std::string (*why_not)();             // "" where it can be used, or the reason in one line
  int (*count)();                       // devices that can be used; asked for where why_not() is ""
  std::string (*describe)(int number);  // "NVIDIA H200"; likewise
  EngineMaker (*open_features)(int number, const features::FeatureOptions& options,
                               std::int64_t segment_samples);
  std::unique_ptr<nn::Network> (*make_network)(int number, const nn::NetworkOptions& options,
                                               ThreadPool& pool);
  std::unique_ptr<training::TrainingStep> (*make_step)(int number, const training::StepOptions& options,
                                                       ThreadPool& pool);
};
using BackendRegistry = Registry<Backend>;

/// One device of a back end.
struct Device {
  const Backend* backend;
  int number;
};

/// The device of a name as choose() gave it. Throws std::logic_error where there is none.
Device find(std::string_view name);

}  // namespace timbre::device
