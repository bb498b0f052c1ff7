// From Keras's description of a model to Timbre's: a chain of the layers that Timbre has.
//
// Taken: a Sequential, or a Functional model that is a chain; each layer whose class a registered layer names as its own
// (Layer::keras_class), with options that mean here what they mean there: what a layer's keras_config() fixes must be so in
// the file. A Normalization layer at the beginning becomes the standardisation, a Reshape that only adds a channel goes. The
// input is (T, F), or (T, F, 1).
// Everything else is refused with its place: "layers[3] 'lambda' (Lambda): ...". What matters in training alone, and
// cannot be said here, is left out with a note.
// Errors: Error, one line.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/node.hpp"
#include "data/standardise.hpp"
#include "exchange/keras_reader.hpp"
#include "nn/model.hpp"
#include "results/keras_layout.hpp"

namespace timbre::exchange {

struct KerasModel {
  std::string name;
  config::Node layers;                        // `model:` of a configuration
  std::int64_t frames = 0, coefficients = 0;  // frames: 0 where the file leaves them open
  data::Standardisation standardisation;      // empty where there is none
  struct Layer {
    std::string place;    // "layers[3] 'dense_1' (Dense)"
    std::string weights;  // where the file keeps its weights
  };
  std::vector<Layer> places;  // of each layer
  std::vector<std::string> notes;
  std::map<std::string, std::string> description;  // what Timbre said of it
};

KerasModel understand(const KerasFile& file);

/// The weights of the file, as the model wants them. Throws Error for one that is missing, of another shape or type, or
/// not finite.
std::vector<results::WeightTensor> weights_for(const KerasModel& found, const KerasFile& file,
                                               const nn::Model& model);

}  // namespace timbre::exchange
