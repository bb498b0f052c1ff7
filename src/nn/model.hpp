// A sequential model: its layers with their shapes, and where each parameter lies in the arena. No device.
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
    std::unique_ptr<Layer> layer;
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

  /// The resolved `model:` sequence.
  config::Node dump() const;
  /// A table as Keras's summary(): layer, output shape, parameters.
  std::string summary() const;
  /// Fills an arena with initial values.
  void initialise(std::uint64_t seed, float* arena) const;

 private:
  void place();

  Shape input_;
  std::int64_t classes_ = 0, arena_size_ = 0, trainable_size_ = 0;
  std::vector<Entry> layers_;
  std::vector<Parameter> parameters_;
};

}  // namespace timbre::nn
