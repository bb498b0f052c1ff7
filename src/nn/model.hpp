// A model: its layers in the order of computation, with their shapes, and where each parameter lies in the arena. No device.
//
// Layers form a chain, but for blocks (nn/layers/residual.hpp): the layers of their branches stand in the model like all
// others. Arrays are numbered: 0 is the model's input, i + 1 the output of layer i.
//
// The arena is one flat float32 array: trainable parameters first, in order of layers, then the others (moving
// statistics, and all of frozen layers); each starts at a multiple of 16 floats, and the gaps are zero and stay zero. Gradients and
// optimizer slots are arrays of the same layout over the trainable part.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/forward.hpp"
#include "nn/layer.hpp"

namespace timbre::nn {

/// `regularisation:` of a configuration.
struct Regularisation {
  double l1 = 0, l2 = 0;          // on kernels (not biases, not recurrent kernels)
  std::optional<double> dropout;  // replaces the rate of every dropout layer
};
const config::Schema<Regularisation>& schema(config::of<Regularisation>);

/// One parameter in the arena.
struct Parameter {
  int layer;  // index of the layer
  ParameterSpec spec;
  std::int64_t offset;  // in floats from the start of the arena
  Penalty penalty;      // what applies to it: its own, the global one, or none
};

class Model {
 public:
  struct Entry {
    std::string name;  // Keras's: lstm, lstm_1, dense, ...
    std::shared_ptr<Layer> layer;
    int from = 0,
        other = -1;        // the arrays that it takes; other: -1, or the second of a layer that ends a block
    int mask = -1;         // the mask that it gets, by the layer that makes it; its own of masking; -1: none
    bool within = false;   // it belongs to a block, and the layer that ends the block dumps it
    bool chained = false;  // it alone takes what the layer before it gives, and nothing else
    Shape input, output;
    std::vector<int> parameters;  // indices into parameters(), in Keras's order
    bool frozen = false;  // nothing of it is trained; a batch normalisation uses its moving statistics
  };

  /// Reads the sequence `model:`. Shapes are inferred and checked as it goes; a wrong one throws RequestError
  /// with the place and path of its layer. The last layer must end in a softmax over the classes.
  static Model parse(const config::Reader& reader, const Shape& input, std::int64_t classes,
                     const Regularisation& regularisation);

  /// Freezes layers by their names, as Keras's trainable = False: none of their parameters changes, and their penalties do not
  /// count. Throws RequestError about `freeze` for a name that no layer has, and where nothing is left to train.
  void freeze(const std::vector<std::string>& names);

  const Shape& input() const { return input_; }
  std::int64_t classes() const { return classes_; }
  const std::vector<Entry>& layers() const { return layers_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  std::int64_t arena_size() const { return arena_size_; }
  std::int64_t trainable_size() const { return trainable_size_; }
  /// Numbers of parameters, without the gaps.
  std::int64_t parameter_count() const;
  std::int64_t trainable_parameter_count() const;

  /// What masking looks for, where it is the first layer: in features as they are.
  std::optional<float> mask_value() const;
  /// The resolved `model:` sequence.
  config::Node dump() const;
  /// The name of an array: of the layer that gives it, or `input`.
  std::string array_name(int array) const;
  /// A table as Keras's summary(): layer, output shape, parameters; of a layer that takes another array than the one before
  /// it gives, the names of its inputs.
  std::string summary() const;
  /// Fills an arena with initial values.
  void initialise(std::uint64_t seed, float* arena) const;

 private:
  class Builder;
  void place();
  Shape input_;
  std::int64_t classes_ = 0, arena_size_ = 0, trainable_size_ = 0;
  std::vector<Entry> layers_;
  std::vector<Parameter> parameters_;
};

}  // namespace timbre::nn
