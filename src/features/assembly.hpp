// From the values of single kinds to the features of a segment: changes behind their coefficients, kinds side by side,
// then statistics over the frames. The engines of all devices end here.
//
//   parts [T, F_i] -> [T, sum of F_i (1 + orders_i)], or [1, that or twice that] with a summary
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/shape.hpp"
#include "features/aligned.hpp"
#include "features/options.hpp"

namespace timbre::features {

class Assembly {
 public:
  /// Options and size were checked (feature_shape).
  Assembly(const FeatureOptions& options, std::int64_t segment_samples);

  /// Of the segment's features.
  const Shape& shape() const { return shape_; }
  /// Of part i alone: T F_i.
  std::int64_t part_size(std::size_t i) const { return frames_ * parts_[i].width; }
  /// Whether there is nothing to put together: the features are those of the one part.
  bool is_trivial() const { return trivial_; }
  /// parts[i]: [T, F_i] -> out, of shape()
  void put(std::span<const float* const> parts, float* out);

 private:
  struct Part {
    std::int64_t width;
    std::vector<std::vector<double>> changes;  // the weights of each order
  };
  void stack(std::span<const float* const> parts, float* out) const;

  std::vector<Part> parts_;
  std::int64_t frames_ = 0, width_ = 0;  // of what is stacked
  std::vector<std::string> summary_;
  Shape shape_;
  bool trivial_;
  AlignedFloats stacked_;  // [T, width], where a summary follows
};

}  // namespace timbre::features
