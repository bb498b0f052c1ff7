// The CPU's entry in the registry of back ends. It is in this room, which is above all that it names.
#include "device/backend.hpp"
#include "features/engine.hpp"
#include "nn/network.hpp"
#include "training/step.hpp"

namespace timbre::training {
namespace {

const Registration<device::Backend> cpu{
    "cpu",
    {.why_not = [](int number) { return std::string(number == 0 ? "" : "there is one processor, cpu"); },
     .count = [] { return 1; },
     .describe = [](int) { return std::string("the processor"); },
     .free_memory = nullptr,
     .memory_needed = nullptr,
     .open_features = [](int, const features::FeatureOptions& options,
                         std::int64_t samples) -> device::EngineMaker {
       return [options, samples] { return features::make_cpu_feature_engine(options, samples); };
     },
     .make_network = [](int, const nn::NetworkOptions& options,
                        ThreadPool& pool) { return nn::make_cpu_network(options, pool); },
     .make_step = [](int, const StepOptions& options,
                     ThreadPool& pool) { return make_cpu_step(options, pool); }}};

}  // namespace

std::unique_ptr<TrainingStep> make_step(const std::string& device, const StepOptions& options,
                                        ThreadPool& pool) {
  const auto [backend, number] = device::find(device);
  return backend->make_step(number, options, pool);
}

}  // namespace timbre::training
