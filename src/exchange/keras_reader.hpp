// What is in a file of Keras: its architecture as JSON, and its weights. Read by a process of its own (storage/door.hpp),
// since strangers make such files; nothing is believed that the file has no room for, and no code of a file is run.
//
//   .h5      Keras 2 and 3: attribute model_config; weights by the names of layers (results/keras_layout.hpp)
//   .keras   Keras 3: a zip of config.json and model.weights.h5; weights by the classes of layers, numbered in their order
// A result of Timbre is a Keras file as well, without what standardises its features; it needs no import, and is refused.
// Errors: RequestError for a file that is neither, or a result; Error for what is damaged or missing, with its place.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/shape.hpp"
#include "storage/door.hpp"

namespace timbre::exchange {

struct KerasTensor {
  std::string name;  // "kernel", or in an archive its number
  Shape shape;
  std::string type;         // "float32"
  std::vector<float> data;  // empty where it is of another type
};

/// What one layer keeps.
struct KerasWeights {
  std::string layer;  // its name; in an archive its class and number: "dense_1"
  std::vector<KerasTensor> tensors;
};

struct KerasFile {
  bool archive = false;
  std::string version;      // of Keras; "" where the file does not say
  std::string config;       // the architecture
  std::string description;  // what Timbre said of it (exchange/keras.hpp), or ""
  std::vector<KerasWeights> weights;
};

KerasFile read_keras_file(const std::filesystem::path& file, const storage::Trust& trust = {});

}  // namespace timbre::exchange
