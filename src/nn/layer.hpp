// The contract of a layer. A layer has two halves:
//
//   Layer     the architecture: options, shape inference, parameters, Keras's description. It knows no device.
//   its work on a device, found by the struct of its options: LayerOp on the CPU (nn/layer_op.hpp), in the layer's one
//             file under layers/; CudaLayer on a GPU, in its file under cuda/layers/
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

#include "core/part.hpp"
#include "core/registry.hpp"
#include "core/shape.hpp"
#include "nn/options.hpp"

namespace timbre::nn {

struct OnnxPlace;
class Layer;

enum class Initialiser { zeros, ones, glorot_uniform, orthogonal, unit_forget_bias };

struct ParameterSpec {
  std::string name;  // Keras's: kernel, recurrent_kernel, bias, gamma, beta, moving_mean, moving_variance
  Shape shape;  // Keras's layout: Dense (in, out), Conv2D (kh, kw, in, out), LSTM (in, 4u), gates i f c o
  Initialiser initialiser = Initialiser::zeros;
  bool trainable = true;
  bool global_penalty = false;     // the configuration's regularisation applies (kernels only)
  std::optional<Penalty> penalty;  // the layer's own value, which replaces it
};

/// What a block computes before the layer that ends it adds the two up (nn/layers/residual.hpp).
struct Block {
  std::vector<std::shared_ptr<Layer>> body;
  /// Empty: the block's input as it is. Nothing: that where shapes agree, else a projection.
  std::optional<std::vector<std::shared_ptr<Layer>>> shortcut;
  std::string activation;  // of the sum
};

/// What a layer does with the mask of its input (nn/layers/masking.hpp).
enum class MaskUse {
  none,    // it can do nothing with one
  passes,  // its output has the same
  takes,   // it skips masked steps; a sequence that it gives has the same mask, else there is none any more
  makes    // it makes a mask of its own
};

/// The architecture half.
class Layer {
 public:
  virtual ~Layer() = default;
  /// The struct of its options, by which devices know the layer.
  virtual OptionsRef options() const = 0;
  /// Its name in a configuration: "lstm".
  std::string_view type() const { return options().part(); }
  /// Output shape. Throws RequestError with a message that has no path yet ("needs an input of rank 2 ...").
  virtual Shape infer(const Shape& input) const = 0;
  virtual std::vector<ParameterSpec> parameters(const Shape& input) const {
    (void)input;
    return {};
  }
  /// Options as a resolved configuration has them: {lstm: {units: ..., ...}}.
  virtual config::Node dump() const = 0;
  /// Keras's class name and config (without "name"), loadable by Keras 2 and 3.
  virtual std::string keras_class() const = 0;
  virtual nlohmann::ordered_json keras_config() const = 0;
  /// The same where Keras's options depend on the input, too.
  virtual nlohmann::ordered_json keras_config_for(const Shape& input) const;
  /// Adds the operators that compute it to a graph of ONNX (nn/onnx.hpp), and returns the name of its output. Throws
  /// Error where the layer declares no mapping.
  virtual std::string to_onnx(OnnxPlace& place) const;
  virtual bool ends_in_softmax() const { return false; }
  /// Dropout's rate, for what replaces it from outside; no effect on other layers.
  virtual void set_dropout(double rate) { (void)rate; }
  virtual MaskUse mask_use() const { return MaskUse::none; }
  /// The block that it ends. Such a layer takes two inputs of one shape: what comes out of the body, and of the shortcut.
  virtual const Block* block() const { return nullptr; }
};

/// A layer at work on something small: what the tests that loop over all layers, on all devices, try it with.
struct LayerExample {
  std::string options;  // what a configuration has after its name: "{units: 3}"
  Shape input;
};

/// Entry of the registry of layers: how to read one from its options. `classes` stands for the word
/// `classes` where a number of units is asked for (see Units).
struct LayerType {
  config::Struct (*describe)();  // what it does, and its options
  std::unique_ptr<Layer> (*parse)(const config::Reader& reader, std::int64_t classes);
  std::vector<LayerExample> examples;  // odd sizes, every option that changes the work
};
using LayerRegistry = Registry<LayerType>;

/// A layer from its text, "dense: 3", for those that no configuration lists.
std::unique_ptr<Layer> layer_from(const std::string& yaml, std::int64_t classes = 1);

}  // namespace timbre::nn
