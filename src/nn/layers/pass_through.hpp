// The work on the CPU of layers that only see their values in another shape.
#pragma once

#include <algorithm>

#include "nn/layer_op.hpp"

namespace timbre::nn {

class PassThroughCpu : public LayerOp {
 public:
  explicit PassThroughCpu(const LayerBinding& binding)
      : size_(binding.input.size()), input_gradient_(binding.input_gradient) {}
  void forward(const StepContext& context, const float* x, float* y) override {
    if (x != y) std::copy_n(x, context.rows * size_, y);
  }
  void backward(const StepContext& context, const float*, const float*, float* dy, float* dx) override {
    if (input_gradient_ && dx != dy) std::copy_n(dy, context.rows * size_, dx);
  }

 private:
  std::int64_t size_;
  bool input_gradient_;
};

}  // namespace timbre::nn
