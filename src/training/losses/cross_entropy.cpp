// Categorical cross-entropy from logits, with label smoothing.
//
//   p = softmax(logits);  t = (1 - s) onehot(label) + s / C;  loss = -sum_c t_c log p_c;  dloss/dlogits = p - t
//
// log p: see nn/softmax.hpp.
// Source: keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=s).
#include "training/losses/cross_entropy.hpp"

#include <cmath>

#include "nn/softmax.hpp"
#include "training/loss.hpp"

namespace timbre::training {

struct CrossEntropyOptions {
  double label_smoothing = 0;
};

const config::Schema<CrossEntropyOptions>& schema(config::of<CrossEntropyOptions>) {
  static const auto s = config::Schema<CrossEntropyOptions>("cross-entropy from logits")
                            .field("label_smoothing", &CrossEntropyOptions::label_smoothing,
                                   "share of the target spread evenly over the classes", config::rate());
  return s;
}

namespace {

class CrossEntropy final : public Loss {
 public:
  explicit CrossEntropy(CrossEntropyOptions options) : options_(options) {}

  config::Node dump() const override {
    auto node = config::Node::map();
    node.set("cross_entropy", schema(config::of<CrossEntropyOptions>{}).dump(options_));
    return node;
  }

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

 private:
  CrossEntropyOptions options_;
};

const Registration<LossType> cross_entropy{
    "cross_entropy",
    {"categorical cross-entropy from logits", schema(config::of<CrossEntropyOptions>{}).document(),
     [](const config::Reader& reader) -> std::unique_ptr<Loss> {
       return std::make_unique<CrossEntropy>(schema(config::of<CrossEntropyOptions>{}).parse(reader));
     }}};

}  // namespace

}  // namespace timbre::training
