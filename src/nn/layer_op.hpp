// The work of a layer on the CPU, for a fixed input shape and a largest batch. A layer's operation is in the layer's
// file under layers/, and adds itself by the struct of the layer's options (core/part.hpp):
//
//   const CpuOps::Add<DenseCpu, DenseOptions> cpu;   // made as DenseCpu(const DenseOptions&, const LayerBinding&)
//
// Shapes, layouts and the order of parameters are those of nn/layer.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/parallel.hpp"
#include "core/part.hpp"
#include "core/shape.hpp"

namespace timbre::nn {

class Layer;

/// Who wants to know when a part of a gradient is final, to go on with it while it is in the cache.
class GradientSink {
 public:
  virtual ~GradientSink() = default;
  /// `count` elements of one parameter's gradient, from `first` on, are final. The parameter may change now: the
  /// operation has read it for the last time in this step. Any thread may call, never two for one element.
  virtual void ready(const float* first, std::int64_t count) = 0;
};

/// What an operation works with, fixed when it is made.
struct LayerBinding {
  Shape input, output;             // without the batch
  std::int64_t capacity = 0;       // largest batch
  const float* other = nullptr;    // of a layer that ends a block: its second input, of the first's shape
  std::vector<float*> parameters;  // in the order of Layer::parameters(input)
  std::uint8_t* mask =
      nullptr;  // [capacity, T] of a sequence with a mask: 1 where a step counts; masking writes it
  std::vector<float*> gradients;  // the same; nullptr for what is not trainable; empty if never trained
  int index = 0;                  // position in the model: the layer's stream of random numbers
  bool input_gradient = true;     // whether backward must write dx
  bool logits = false;            // last layer: leave out the final softmax (the loss has it)
  bool frozen = false;            // no step uses what goes into `gradients`
  ThreadPool* pool = nullptr;     // the CPU's threads
  GradientSink* sink =
      nullptr;  // if any: told of gradients in parts; a parameter's in all its parts, or in none
  void gradient_ready(const float* first, std::int64_t count) const {
    if (sink) sink->ready(first, count);
  }
};

/// What changes from step to step.
struct StepContext {
  std::int64_t rows = 0;   // rows of this batch, 1 <= rows <= capacity
  bool training = false;   // dropout on, batch statistics, activations kept for backward
  std::uint64_t seed = 0;  // of the run
  std::uint32_t step = 0;  // training steps done so far: the counter of the random numbers
};

/// One layer at work on the CPU. It owns its work space and what backward needs of the last forward.
class LayerOp {
 public:
  virtual ~LayerOp() = default;
  /// x [rows, input...] -> y [rows, output...]. x and y stay valid and unchanged until backward has run.
  virtual void forward(const StepContext& context, const float* x, float* y) = 0;
  /// dy [rows, output...] -> dx [rows, input...] (if input_gradient), and the parameters' gradients, which are
  /// overwritten, not added to. dy may be used as work space. Comes after forward with training = true. (A layer that ends
  /// a block gives both inputs dy as it is: nothing is called.)
  virtual void backward(const StepContext& context, const float* x, const float* y, float* dy, float* dx) = 0;
};
using CpuOps = Implementations<LayerOp, const LayerBinding&>;

/// Throws std::logic_error for a layer without an operation on the CPU.
std::unique_ptr<LayerOp> make_cpu_op(const Layer& layer, const LayerBinding& binding);

}  // namespace timbre::nn
