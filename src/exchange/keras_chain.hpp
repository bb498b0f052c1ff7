// The layers of a model of Keras in the order of computation, out of its JSON: a Sequential, or a Functional model in which
// each layer takes what the one before it gives. Blocks may part the chain: two branches from one layer that an Add brings
// together, the shortcut being empty where it takes that layer itself.
// Errors: Error for anything else, with the layer's place; for JSON that is none, or nested deeper than 64.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace timbre::exchange {

struct KerasNode {
  std::string class_name, name;
  nlohmann::ordered_json config;  // an object
  std::string place;              // "layers[3] 'dense_1' (Dense)"
  std::string number;             // "dense_1": its class, numbered in the order of the file
  bool adds = false;              // it ends a block
  std::vector<KerasNode> body, shortcut;

  template <class... A>
  [[noreturn]] void fail(fmt::format_string<A...> format, A&&... args) const {
    timbre::fail("{}: {}", place, fmt::format(format, std::forward<A>(args)...));
  }
};

struct KerasChain {
  std::string name;
  nlohmann::ordered_json input;  // [null, T, F, ...]; null where the file does not say
  std::vector<KerasNode> layers;
};

KerasChain keras_chain(const std::string& json);

/// The texts of the JSON that exchange/keras.hpp writes beside a model; empty where it is none.
std::map<std::string, std::string> keras_description(const std::string& json);

}  // namespace timbre::exchange
