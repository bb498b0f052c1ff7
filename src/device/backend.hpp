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
  std::string (*why_not)(int number);       // "" where it can be used, or the reason in one line
  int (*count)();                           // devices that there are
  std::string (*describe)(int number);      // "NVIDIA H200"; this and what follows where why_not() is ""
  std::int64_t (*free_memory)(int number);  // bytes that runs may share; null: the host's memory
  /// Bytes that a training step takes of it with this many rows of data, from above; null like free_memory.
  std::int64_t (*memory_needed)(const training::StepOptions& options, std::int64_t rows);
  EngineMaker (*open_features)(int number, const features::FeatureOptions& options,
                               std::int64_t segment_samples);
  std::unique_ptr<nn::Network> (*make_network)(int number, const nn::NetworkOptions& options,
                                               ThreadPool& pool);
  std::unique_ptr<training::TrainingStep> (*make_step)(int number, const training::StepOptions& options,
                                                       ThreadPool& pool);
  std::string (*feature_note)(const features::FeatureOptions&) = nullptr;  // "" or what it leaves to the CPU
};
using BackendRegistry = Registry<Backend>;

/// One device of a back end.
struct Device {
  const Backend* backend;
  int number;
};

/// "cuda" of "cuda:1": what results and stores say, since devices of one kind give the same numbers.
inline std::string backend_of(std::string_view name) { return std::string(name.substr(0, name.find(':'))); }

/// The device of a name as choose() gave it. Throws std::logic_error where there is none.
Device find(std::string_view name);

}  // namespace timbre::device
