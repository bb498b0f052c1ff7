// The contract of a layer. A layer has two halves, both in its one file under layers/:
//
//   Layer     the architecture: options, shape inference, parameters, Keras's description. No device.
//   LayerOp   the work on one device, for a fixed input shape and a largest batch: forward and backward.
//
// Shapes exclude the batch dimension and are channels last: (T, F) for sequences, (H, W, C) for pictures,
// (N,) for vectors. Arrays are contiguous, row-major, float32, batch outermost. A rank-2 input (T, F) of a
// picture layer is read as (T, F, 1).
//
// Parameters are declared once, by name and shape, in Keras's order and layout; initialisation, counting,
// saving and the summary follow from the declaration.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.hpp"
#include "core/parallel.hpp"
#include "core/registry.hpp"
#include "core/shape.hpp"

namespace timbre::nn {

enum class Initialiser { zeros, ones, glorot_uniform, orthogonal, unit_forget_bias };

/// Penalty l1 * sum|w| + l2 * sum w^2 (no half), as Keras's L1L2.
struct Penalty {
  double l1 = 0, l2 = 0;
};
const config::Schema<Penalty>& schema(config::of<Penalty>);

struct ParameterSpec {
  std::string name;  // Keras's: kernel, recurrent_kernel, bias, gamma, beta, moving_mean, moving_variance
  Shape shape;  // Keras's layout: Dense (in, out), Conv2D (kh, kw, in, out), LSTM (in, 4u), gates i f c o
  Initialiser initialiser = Initialiser::zeros;
  bool trainable = true;
  bool global_penalty = false;     // the configuration's regularisation applies (kernels only)
  std::optional<Penalty> penalty;  // the layer's own value, which replaces it
};

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
  std::vector<float*> parameters;  // in the order of Layer::parameters(input)
  std::vector<float*> gradients;   // the same; nullptr for what is not trainable; empty if never trained
  int index = 0;                   // position in the model: the layer's stream of random numbers
  bool input_gradient = true;      // whether backward must write dx
  bool logits = false;             // last layer: leave out the final softmax (the loss has it)
  ThreadPool* pool = nullptr;      // the CPU's threads
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
  /// overwritten, not added to. dy may be used as work space. Comes after forward with training = true.
  virtual void backward(const StepContext& context, const float* x, const float* y, float* dy, float* dx) = 0;
};

/// The architecture half.
class Layer {
 public:
  virtual ~Layer() = default;
  /// Its name in a configuration: "lstm".
  virtual std::string_view type() const = 0;
  /// Output shape. Throws RequestError with a message that has no path yet ("needs an input of rank 2 ...").
  virtual Shape infer(const Shape& input) const = 0;
  virtual std::vector<ParameterSpec> parameters(const Shape& input) const {
    (void)input;
    return {};
  }
  /// Options as they stand in a resolved configuration: {lstm: {units: ..., ...}}.
  virtual config::Node dump() const = 0;
  /// Keras's class name and config (without "name"), loadable by Keras 2 and 3.
  virtual std::string keras_class() const = 0;
  virtual nlohmann::ordered_json keras_config() const = 0;
  virtual bool ends_in_softmax() const { return false; }
  /// Dropout's rate, for what replaces it from outside; no effect on other layers.
  virtual void set_dropout(double rate) { (void)rate; }
  /// The operation on the CPU.
  virtual std::unique_ptr<LayerOp> make_cpu(const LayerBinding& binding) const = 0;
};

/// A layer at work on something small: what the tests that loop over all layers, on all devices, try it with.
struct LayerExample {
  std::string options;  // as they stand behind its name: "{units: 3}"
  Shape input;
};

/// Entry of the registry of layers: how to read one from its options. `classes` stands for the word
/// `classes` where a number of units is asked for (see Units).
struct LayerType {
  std::string summary;  // one line for --help
  std::string options;  // Schema::document()
  std::unique_ptr<Layer> (*parse)(const config::Reader& reader, std::int64_t classes);
  std::vector<LayerExample> examples;  // odd sizes, every option that changes the work
};
using LayerRegistry = Registry<LayerType>;

/// A number of units, or the word `classes`, resolved when the number of classes is known.
struct Units {
  std::int64_t value = 0;  // 0: not resolved
  bool classes = false;
  static Units from(const config::Reader& reader);
  config::Node dump() const;
};

/// Reads the options of a layer type from its schema; the struct's Units are resolved by the layer itself.
template <class LayerClass, class Options>
std::unique_ptr<Layer> parse_layer(const config::Reader& reader, std::int64_t classes) {
  return std::make_unique<LayerClass>(schema(config::of<Options>{}).parse(reader), classes);
}

}  // namespace timbre::nn
