#include "training/cpu_batch.hpp"

#include <algorithm>

#include "core/simd.hpp"

namespace timbre::training {

CpuBatch::CpuBatch(const StepOptions& options, std::int64_t capacity)
    : model_(*options.model),
      loss_(*options.loss),
      seed_(options.seed),
      class_weights_(options.class_weights),
      mixup_(options.mixup),
      labels_(std::size_t(capacity)),
      losses_(std::size_t(capacity)) {
  if (options.spec_augment)
    stripes_ = SpecAugment::of(*options.spec_augment, seed_, model_.input()[0], model_.input()[1]);
  if (!mixup_) return;
  other_labels_.resize(std::size_t(options.batch_size));
  other_losses_.resize(std::size_t(options.batch_size));
  before_.resize(std::size_t(options.batch_size * model_.input().size()));
  other_gradient_.resize(std::size_t(options.batch_size * model_.classes()));
}

void CpuBatch::gather(std::span<const std::int32_t> rows, float* x) {
  rows_ = std::int64_t(rows.size());
  const auto width = model_.input().size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    features_->read(rows[i], x + std::int64_t(i) * width);
    labels_[i] = row_labels_[rows[i]];
  }
}

void CpuBatch::augment(std::int64_t step, float* x) {
  if (mixup_) {
    mixture_ = draw_mixture(*mixup_, seed_, step, rows_);
    mix(x);
  }
  if (stripes_) hide_stripes(step, x);
}

void CpuBatch::mix(float* x) {
  const auto width = model_.input().size();
  std::copy_n(x, rows_ * width, before_.data());
  for (std::int64_t r = 0; r < rows_; ++r) {
    const auto partner = mixture_.partner[std::size_t(r)];
    const float share = mixture_.share[std::size_t(r)];
    const float *own = before_.data() + r * width, *other = before_.data() + partner * width;
    float* out = x + r * width;
    vectorised([&] {
      for (std::int64_t i = 0; i < width; ++i) out[i] = mixed(own[i], other[i], share);
    });
    other_labels_[std::size_t(r)] = labels_[std::size_t(partner)];
  }
}

void CpuBatch::hide_stripes(std::int64_t step, float* x) {
  const auto steps = stripes_->steps, coefficients = stripes_->coefficients;
  for (std::int64_t r = 0; r < rows_; ++r, x += steps * coefficients)
    for (std::int32_t m = 0; m < stripes_->masks(); ++m) {
      const auto s = stripes_->stripe(r, m, std::uint32_t(step));
      if (m < stripes_->time_masks)
        std::fill(x + s.first * coefficients, x + s.end * coefficients, 0.0f);
      else
        for (std::int32_t t = 0; t < steps; ++t)
          std::fill(x + t * coefficients + s.first, x + t * coefficients + s.end, 0.0f);
    }
}

/// Losses, and in training their gradients, by the weights of the classes.
void CpuBatch::evaluate(const float* logits, const std::int32_t* labels, float* losses, float* gradient,
                        float* probabilities) const {
  const auto classes = model_.classes();
  loss_.evaluate(logits, labels, rows_, classes, losses, gradient, probabilities);
  if (class_weights_.empty() || !gradient) return;
  for (std::int64_t r = 0; r < rows_; ++r) {
    const float weight = class_weights_[std::size_t(labels[r])];
    losses[r] *= weight;
    for (std::int64_t c = 0; c < classes; ++c) gradient[r * classes + c] *= weight;
  }
}

/// Losses and gradients of both labels, by their shares; the label of a row is that with the larger share from here on.
void CpuBatch::mix_losses(const float* logits, float* gradient) {
  evaluate(logits, other_labels_.data(), other_losses_.data(), other_gradient_.data(), nullptr);
  const auto classes = model_.classes();
  for (std::int64_t r = 0; r < rows_; ++r) {
    const auto i = std::size_t(r);
    const float share = mixture_.share[i];
    losses_[i] = mixed(losses_[i], other_losses_[i], share);
    for (std::int64_t c = r * classes; c < (r + 1) * classes; ++c)
      gradient[c] = mixed(gradient[c], other_gradient_.data()[c], share);
    if (share < 0.5f) labels_[i] = other_labels_[i];
  }
}

void CpuBatch::score(const float* logits, float* gradient, float* probabilities) {
  evaluate(logits, labels_.data(), losses_.data(), gradient, probabilities);
  if (mixup_ && gradient) mix_losses(logits, gradient);
  correct_ = 0;
  const auto classes = model_.classes();
  for (std::int64_t r = 0; r < rows_; ++r) {
    const float* z = logits + r * classes;
    correct_ += std::max_element(z, z + classes) - z == labels_[std::size_t(r)];
  }
}

double CpuBatch::add_losses(double sum) const {
  for (std::int64_t r = 0; r < rows_; ++r) sum += double(losses_[std::size_t(r)]);
  return sum;
}

}  // namespace timbre::training
