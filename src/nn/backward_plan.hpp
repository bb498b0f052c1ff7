// The way back through the layers of a model: which buffer holds the gradient of which array, for every device.
//
// In a chain two buffers take turns. Where a block (nn/layers/residual.hpp) parts, its two branches need buffers of their
// own; where it began, the gradients of both are added up, in one order. An array is taken by one layer, by several of one
// block, or by the layer that ends a block.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace timbre::nn {

/// What is known of a layer. Arrays are numbered: 0 is the model's input, i + 1 the output of layer i.
struct LayerPassed {
  int from = 0, other = -1;  // what it takes; other: -1, or the second input of a layer that ends a block
  int to = 0;                // what it gives
  bool trains = false;       // whether it has parameters that train
  bool moves = false;        // whether dx is dy as it is
};

struct BackwardStep {
  std::size_t layer;  // in the order of LayerPassed
  int dy;         // the buffer with the gradient of its output; it is free after the step, unless it is dx
  int dx = -1;    // where the gradient of its input goes, or -1 where it is of no use
  int copy = -1;  // gets a copy of dy, which is the gradient of the second input, or -1 where it is of no use
  bool moves = false;  // dx is dy, and no layer is called
  int add_to = -1;     // dx is added to this buffer, which has what another layer gave; -1: dx is the first
};

struct BackwardPlan {
  std::vector<BackwardStep> steps;  // in their order
  int buffers = 2;  // of as many floats as the widest array; the gradient of the last output is in 0
};

/// Whether the gradient of an array is of use, by its number: something before it trains.
std::vector<bool> wanted_gradients(std::span<const LayerPassed> layers);
BackwardPlan plan_backward(std::span<const LayerPassed> layers, const std::vector<bool>& wanted);

}  // namespace timbre::nn
