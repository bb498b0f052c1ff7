// lstm (src/nn/layers/lstm.cpp has the formula): on cuDNN, or by the own kernel that keeps the recurrent
// weights on the chip.
//
// The environment variable TIMBRE_LSTM says which: cudnn, own (where it can), or auto (the default). auto
// takes cuDNN: the own kernel is quicker on paper (lstm_recurrence.cuh), and has not been timed on a GPU yet.
#include "layers/lstm.hpp"

#include <cstdlib>

#include "core/error.hpp"

namespace timbre::cuda {

std::string lstm_name(const DeviceBinding& b) {
  return fmt::format("lstm (layer {}, {} units)", b.index, b.output.back());
}

namespace {

std::unique_ptr<DeviceLayer> make_lstm(const nn::Layer& layer, const DeviceBinding& binding) {
  const char* set = std::getenv("TIMBRE_LSTM");
  const std::string_view wanted = set && *set ? set : "auto";
  if (wanted != "auto" && wanted != "cudnn" && wanted != "own")
    fail("TIMBRE_LSTM: '{}' is no way to compute an LSTM; known: auto, cudnn, own", wanted);
  const auto why_not = wanted == "own" ? why_not_on_chip(binding) : "";
  if (wanted == "own" && why_not.empty()) return make_lstm_on_chip(layer, binding);
  return make_lstm_on_cudnn(layer, binding, why_not);
}

const Registration<DeviceLayerType> registration{"lstm", {make_lstm}};

}  // namespace
}  // namespace timbre::cuda
