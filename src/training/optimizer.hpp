// Optimizers. An optimizer is a rule that moves parameters p by gradients g, keeping `slots` float arrays of the
// same length beside them (moments, velocities), all zero before the first step.
//
// The gradient it sees includes the penalties: g + l1 sign(p) + 2 l2 p, with sign(0) = 0.
#pragma once

#include <cstdint>
#include <memory>

#include "config/schema.hpp"
#include "core/registry.hpp"
#include "nn/layer.hpp"
#include "training/optimizer_rules.hpp"

namespace timbre::training {

/// A stretch of the arena with one penalty.
struct Update {
  std::int64_t count;
  float* parameters;
  const float* gradients;
  float* slots[2];  // as many as Optimizer::slots()
  nn::Penalty penalty;
  double learning_rate;
  std::int64_t step;  // 1 for the first
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  virtual config::Node dump() const = 0;
  virtual double learning_rate() const = 0;
  virtual int slots() const = 0;
  /// One step of one stretch, elementwise: the same bytes however the arena is cut.
  virtual void update(const Update& update) const = 0;
};

struct OptimizerType {
  std::string summary, options;
  std::unique_ptr<Optimizer> (*parse)(const config::Reader& reader);
};
using OptimizerRegistry = Registry<OptimizerType>;

/// `optimizer:` of a configuration: a name, or {name: options}.
std::unique_ptr<Optimizer> parse_optimizer(const config::Reader& reader);

}  // namespace timbre::training
