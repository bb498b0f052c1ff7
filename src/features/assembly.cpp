#include "features/assembly.hpp"

#include <algorithm>
#include <cmath>

#include "features/delta.hpp"
#include "features/engine.hpp"

namespace timbre::features {
namespace {

/// The mean and the deviation (of n) of each column of x [frames, width] -> those that `names` has, one after the other.
void summarise(const float* x, std::int64_t frames, std::int64_t width, const std::vector<std::string>& names,
               float* out) {
  std::vector<double> mean(static_cast<std::size_t>(width)), square(mean.size());
  for (std::int64_t t = 0; t < frames; ++t)
    for (std::int64_t k = 0; k < width; ++k) mean[std::size_t(k)] += double(x[t * width + k]);
  for (double& m : mean) m /= double(frames);
  for (std::int64_t t = 0; t < frames; ++t)
    for (std::int64_t k = 0; k < width; ++k) {
      const double d = double(x[t * width + k]) - mean[std::size_t(k)];
      square[std::size_t(k)] += d * d;
    }
  for (const auto& name : names)
    for (std::size_t k = 0; k < mean.size(); ++k)
      *out++ = static_cast<float>(name == "mean" ? mean[k] : std::sqrt(square[k] / double(frames)));
}

}  // namespace

Assembly::Assembly(const FeatureOptions& options, std::int64_t segment_samples)
    : summary_(options.summary.value_or(std::vector<std::string>{})),
      shape_(feature_shape(options, segment_samples)) {
  for (const auto& part : options.parts()) {
    frames_ = frame_count(part, segment_samples);
    parts_.push_back({width_of(part), {}});
    for (int order = 1; order <= part.delta_orders(); ++order)
      parts_.back().changes.push_back(delta_weights(part.delta_frames(), order));
    width_ += parts_.back().width * (1 + part.delta_orders());
  }
  trivial_ = parts_.size() == 1 && parts_[0].changes.empty() && summary_.empty();
  if (!summary_.empty()) stacked_.resize(static_cast<std::size_t>(frames_ * width_));
}

void Assembly::stack(std::span<const float* const> parts, float* out) const {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const auto width = parts_[i].width;
    for (std::int64_t t = 0; t < frames_; ++t) std::copy_n(parts[i] + t * width, width, out + t * width_);
    out += width;
    for (const auto& weights : parts_[i].changes) {
      take_delta(parts[i], frames_, width, width, weights, out, width_);
      out += width;
    }
  }
}

void Assembly::put(std::span<const float* const> parts, float* out) {
  if (summary_.empty()) return stack(parts, out);
  stack(parts, stacked_.data());
  summarise(stacked_.data(), frames_, width_, summary_, out);
}

}  // namespace timbre::features
