// Optimizers. An optimizer is a rule that moves parameters p by gradients g, keeping `slots` float arrays of the
// same length beside them (moments, velocities), all zero before the first step.
//
// The gradient it sees includes the penalties: g + l1 sign(p) + 2 l2 p, with sign(0) = 0. Decoupled weight decay, where
// an optimizer has it, moves the parameter itself, and is no part of the gradient or of the loss.
#pragma once

#include <cstdint>

#include "config/part.hpp"
#include "nn/layer.hpp"

namespace timbre::training {

/// A chunk of the arena, of one parameter or of several that are treated alike.
struct Update {
  std::int64_t count;
  float* parameters;
  const float* gradients;
  float* slots[2];  // as many as Optimizer::slots()
  nn::Penalty penalty;
  double learning_rate;
  std::int64_t step;        // 1 for the first
  double weight_decay = 0;  // Optimizer::weight_decay of the parameter
};

class Optimizer {
 public:
  static constexpr auto kind = "optimizer";
  virtual ~Optimizer() = default;
  virtual OptionsRef options() const = 0;
  virtual config::Node dump() const = 0;
  virtual double learning_rate() const = 0;
  virtual int slots() const = 0;
  /// The decoupled decay of a parameter, in parts of it for a learning rate of 1; 0: none.
  virtual double weight_decay(const nn::ParameterSpec& parameter) const = 0;
  /// One step of one chunk, elementwise: the same bytes however the arena is cut.
  virtual void update(const Update& update) const = 0;
};
using OptimizerRegistry = config::PartRegistry<Optimizer>;
/// `optimizer:` of a configuration.
using OptimizerChoice = config::Part<Optimizer>;

}  // namespace timbre::training
