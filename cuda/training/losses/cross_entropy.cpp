// cross_entropy (src/training/losses/cross_entropy.cpp).
#include "training/device_parts.hpp"

namespace timbre::cuda {
namespace {

class CrossEntropyDevice final : public DeviceLoss {
 public:
  explicit CrossEntropyDevice(const Options& options) : label_smoothing_(options.number("label_smoothing")) {}
  void evaluate(cudaStream_t stream, const LossBatch& b) const override {
    cross_entropy(stream, b.logits, b.header, b.rows, b.capacity, b.classes,
                  training::SmoothedTarget::of(label_smoothing_, b.classes), b.losses, b.hits, b.gradient,
                  b.probabilities);
  }

 private:
  double label_smoothing_;
};

const Registration<DeviceLossType> registration{"cross_entropy",
                                                {[](const Options& o) -> std::unique_ptr<DeviceLoss> {
                                                  return std::make_unique<CrossEntropyDevice>(o);
                                                }}};

}  // namespace
}  // namespace timbre::cuda
