#include "training/losses/focal_cross_entropy.hpp"

#include "nn/softmax.hpp"
#include "training/loss.hpp"

namespace timbre::training {

const config::Schema<FocalCrossEntropyOptions>& schema(config::of<FocalCrossEntropyOptions>) {
  static const auto s =
      config::Schema<FocalCrossEntropyOptions>(
          "cross-entropy in which segments that are already sure count less")
          .field("gamma", &FocalCrossEntropyOptions::gamma, "how much less: (1 - p)^gamma",
                 config::between(0.0, 100.0))
          .field("alpha", &FocalCrossEntropyOptions::alpha, "factor of the whole", config::above(0.0))
          .field("label_smoothing", &FocalCrossEntropyOptions::label_smoothing,
                 "share of the target that is spread evenly over all classes", config::rate());
  return s;
}

namespace {

class FocalCrossEntropy final : public config::WithOptions<Loss, FocalCrossEntropyOptions> {
 public:
  using WithOptions::WithOptions;

  void evaluate(const float* logits, const std::int32_t* labels, std::int64_t rows, std::int64_t classes,
                float* losses, float* gradient, float* probabilities) const override {
    const auto rule = FocalRule::of(options_, classes);
    const float scale = 1.0f / float(rows);
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* z = logits + r * classes;
      float loss = 0, slopes = 0;
      nn::for_each_log_probability(z, classes, [&](std::int64_t c, float log_p) {
        const auto term = rule(c == labels[r], log_p);
        loss += term.loss, slopes += term.slope;
        if (probabilities) probabilities[r * classes + c] = std::exp(log_p);
        if (gradient) gradient[r * classes + c] = term.slope;
      });
      if (gradient)
        nn::for_each_log_probability(z, classes, [&](std::int64_t c, float log_p) {
          float& g = gradient[r * classes + c];
          g = (g - std::exp(log_p) * slopes) * scale;
        });
      losses[r] = loss;
    }
  }
};

const config::PartRegistration<Loss, FocalCrossEntropy, FocalCrossEntropyOptions> focal_cross_entropy;

}  // namespace
}  // namespace timbre::training
