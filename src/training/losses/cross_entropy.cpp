#include "training/losses/cross_entropy.hpp"

#include <cmath>

#include "nn/softmax.hpp"
#include "training/loss.hpp"

namespace timbre::training {

const config::Schema<CrossEntropyOptions>& schema(config::of<CrossEntropyOptions>) {
  static const auto s =
      config::Schema<CrossEntropyOptions>("cross-entropy of the softmax, -log p(label)")
          .field("label_smoothing", &CrossEntropyOptions::label_smoothing,
                 "share of the target that is spread evenly over all classes", config::rate());
  return s;
}

namespace {

class CrossEntropy final : public config::WithOptions<Loss, CrossEntropyOptions> {
 public:
  using WithOptions::WithOptions;

  void evaluate(const float* logits, const std::int32_t* labels, std::int64_t rows, std::int64_t classes,
                float* losses, float* gradient, float* probabilities) const override {
    const auto targets = SmoothedTarget::of(options_.label_smoothing, classes);
    const float scale = 1.0f / float(rows);
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* z = logits + r * classes;
      float loss = 0;
      nn::for_each_log_probability(z, classes, [&](std::int64_t c, float log_p) {
        const float p = std::exp(log_p), target = targets(c == labels[r]);
        loss += cross_entropy_term(target, log_p);
        if (probabilities) probabilities[r * classes + c] = p;
        if (gradient) gradient[r * classes + c] = (p - target) * scale;
      });
      losses[r] = loss;
    }
  }
};

const config::PartRegistration<Loss, CrossEntropy, CrossEntropyOptions> cross_entropy;

}  // namespace
}  // namespace timbre::training
