// A model as Keras stores it in HDF5 (the legacy whole-model format), so that Keras 2 and Keras 3 both load
// the file with load_model. Written from real files and Keras's reader
// (keras/src/legacy/saving/legacy_h5_format.py).
//
//   root attributes       keras_version, backend, model_config (JSON of a Sequential; where blocks part and come together
//                         again, of a Functional model without models in it: nested ones do not load from such files)
//   /model_weights        attributes layer_names, backend, keras_version
//   /model_weights/NAME   attribute weight_names: dense/kernel:0, lstm/lstm_cell/kernel:0, ...; for a layer
//                         without weights an empty float64, shape (0); float32 datasets at those names
//
// Pictures: where Timbre reads a rank-2 output (T, F) as (T, F, 1) for a layer that wants pictures, Keras
// must be told. If only element-wise layers come before that layer, the exported model takes (T, F,
// 1), as the CNNs of the field do; otherwise a Reshape layer is put in between.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/shape.hpp"

namespace timbre::nn {
class Model;
}
namespace timbre::storage {
class H5File;
}

namespace timbre::results {

/// One parameter: the layer's name in Keras ("lstm_1"), the parameter's ("recurrent_kernel"), Keras's layout.
struct WeightTensor {
  std::string layer, name;
  Shape shape;
  std::vector<float> data;
  bool operator==(const WeightTensor&) const = default;
};

/// A layer as Keras describes it.
struct KerasLayer {
  std::string class_name;                // "LSTM"
  nlohmann::ordered_json config;         // its options; may hold "name"
  Shape input;                           // without the batch
  std::vector<std::string> inputs = {};  // the layers that it takes, or model_input; none: the one before
};
inline constexpr auto model_input = "input_1";

/// The JSON of a Sequential, or of a Functional model where a layer has two inputs. Layers without a name are named as
/// Keras names them: dense, dense_1, ...; characters of `name` that Keras refuses become '_'. The first layer is an
/// InputLayer with the batch's shape (None, ...).
nlohmann::ordered_json model_config(const std::string& name, const Shape& input,
                                    const std::vector<KerasLayer>& layers);

/// Whether the weights of such a layer belong to its cell: LSTM, GRU, SimpleRNN.
bool keeps_weights_in_cell(std::string_view class_name);

/// The layers of a model, with their names.
std::vector<KerasLayer> keras_layers(const nn::Model& model);
/// The same for a model, and its parameters out of and into its arena, in Keras's order.
nlohmann::ordered_json model_config(const std::string& name, const nn::Model& model);
std::vector<WeightTensor> model_weights(const nn::Model& model, std::span<const float> arena);
/// Throws Error where the tensors are not those of the model, naming the first that differs.
void require_fitting(const nn::Model& model, const std::vector<WeightTensor>& weights);
/// The same, and puts them into the arena.
void load_weights(const nn::Model& model, const std::vector<WeightTensor>& weights, std::span<float> arena);

/// Adds the model to an open file. Every tensor's layer must be in the configuration (else Error).
void write_keras_model(storage::H5File& file, const std::string& model_config,
                       const std::vector<WeightTensor>& weights);

/// The weights of a file, written by write_keras_model or by Keras itself, in the file's order. Throws Error.
std::vector<WeightTensor> read_keras_weights(const storage::H5File& file);

}  // namespace timbre::results
