// The batch of a step on the CPU: its rows, what training does to them, and their losses.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "training/step.hpp"

namespace timbre::training {

class CpuBatch {
 public:
  /// For at most `capacity` rows.
  CpuBatch(const StepOptions& options, std::int64_t capacity);

  void bind(const data::RowSource& features, const std::int32_t* labels) {
    features_ = &features, row_labels_ = labels;
  }
  void prefetch(std::span<const std::int32_t> rows) { features_->prefetch(rows); }
  /// x [rows, input...]: the rows as they are.
  void gather(std::span<const std::int32_t> rows, float* x);
  /// What training does to what was gathered, in this step (steps done so far).
  void augment(std::int64_t step, float* x);
  /// Losses and hits of these logits. In training with the gradient of the mean, weights of classes and the shares of a mixture;
  /// else `gradient` is null. probabilities may be null.
  void score(const float* logits, float* gradient, float* probabilities);

  std::int64_t rows() const { return rows_; }
  /// `sum` and the losses of the batch that was scored, added in the order of rows.
  double add_losses(double sum) const;
  /// Rows of it whose largest logit is their label's.
  std::int64_t correct() const { return correct_; }

 private:
  void hide_stripes(std::int64_t step, float* x);
  void mix(float* x);
  void evaluate(const float* logits, const std::int32_t* labels, float* losses, float* gradient,
                float* probabilities) const;
  void mix_losses(const float* logits, float* gradient);

  const nn::Model& model_;
  const Loss& loss_;
  std::uint64_t seed_;
  std::vector<float> class_weights_;  // empty: none
  std::optional<SpecAugment> stripes_;
  std::optional<MixupOptions> mixup_;
  std::int64_t rows_ = 0, correct_ = 0;
  std::vector<std::int32_t> labels_, other_labels_;  // [capacity]; other: of the partners
  std::vector<float> losses_, other_losses_;         // [capacity]
  Mixture mixture_;                                  // of this batch, if any
  AlignedFloats before_, other_gradient_;            // [capacity, ...], with mixup
  const data::RowSource* features_ = nullptr;
  const std::int32_t* row_labels_ = nullptr;
};

}  // namespace timbre::training
