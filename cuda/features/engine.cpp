// The CUDA back end's entry in the registry of devices that compute features: one pipeline per shape of
// segments, shared by the engines of all threads.
#include "features/engine.hpp"

#include "cuda/features/pipeline.hpp"
#include "cuda/plugin.hpp"
#include "cuda/support/on_device.hpp"

namespace timbre::cuda {
namespace {

class Engine final : public features::FeatureEngine {
 public:
  explicit Engine(std::shared_ptr<OnDevice<FeaturePipeline>> pipeline) : pipeline_(std::move(pipeline)) {}
  Shape shape() const override { return pipeline_->at_rest().shape(); }
  void compute(const float* segments, std::int64_t count, float* out) override {
    (*pipeline_)->compute(segments, count, out);
  }
  std::int64_t segments_at_once() const override { return 64; }

 private:
  std::shared_ptr<OnDevice<FeaturePipeline>> pipeline_;
};

}  // namespace

device::EngineMaker open_features(int number, const features::FeatureOptions& options,
                                  std::int64_t segment_samples) {
  const auto make = [&] { return std::make_unique<FeaturePipeline>(options, segment_samples); };
  return [pipeline = std::make_shared<OnDevice<FeaturePipeline>>(number, make)] {
    return std::make_unique<Engine>(pipeline);
  };
}

}  // namespace timbre::cuda
