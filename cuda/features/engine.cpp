// The CUDA back end's entry in the registry of devices that compute features: one pipeline per shape of
// segments, shared by the engines of all threads.
#include "features/engine.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "cuda/features/pipeline.hpp"
#include "cuda/plugin.hpp"
#include "cuda/support/on_device.hpp"

namespace timbre::cuda {
namespace {

class Engine final : public features::FeatureEngine {
 public:
  Engine(std::shared_ptr<OnDevice<FeaturePipeline>> pipeline, const features::FeatureOptions& options,
         std::int64_t samples)
      : pipeline_(std::move(pipeline)), assembly_(options, samples) {}
  Shape shape() const override { return assembly_.shape(); }
  void compute(const float* segments, std::int64_t count, float* out) override {
    (*pipeline_)->compute(segments, count, assembly_, out);
  }
  std::int64_t segments_at_once() const override { return 64; }

 private:
  std::shared_ptr<OnDevice<FeaturePipeline>> pipeline_;
  features::Assembly assembly_;
};

}  // namespace

std::string what_the_cpu_extracts(const features::FeatureOptions& options) {
  std::vector<std::string> missing;
  for (const auto& part : options.parts())
    if (!CudaFeatureRegistry::instance().find(part.kind)) missing.push_back(part.kind);
  if (missing.empty()) return "";
  return fmt::format("features: the CPU extracts them, since the CUDA plug-in has no kernel for {}",
                     join(missing));
}

device::EngineMaker open_features(int number, const features::FeatureOptions& options,
                                  std::int64_t segment_samples) {
  const auto make = [&] { return std::make_unique<FeaturePipeline>(options, segment_samples); };
  return [pipeline = std::make_shared<OnDevice<FeaturePipeline>>(number, make), options, segment_samples] {
    return std::make_unique<Engine>(pipeline, options, segment_samples);
  };
}

}  // namespace timbre::cuda
