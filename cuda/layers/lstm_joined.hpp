// Where both LSTMs and dropout are cuDNN's, `lstm, dropout, lstm` of equal units becomes one RNN with its dropout between the
// layers; so may more of them. Nothing else changes: layers, names and weights are the model's.
#pragma once

#include <memory>
#include <span>

#include "cuda/layers/cuda_layer.hpp"
#include "nn/model.hpp"

namespace timbre::cuda {

/// How many layers of a model, from the first of these on, one RNN takes: 3 for `lstm, dropout, lstm`, 5, ...; 1 where there
/// is nothing to join, or not everything is cuDNN's. All but the last return sequences, all but the first run forwards, and
/// the rates are one.
std::size_t joined_layers(std::span<const nn::Model::Entry> layers);

/// Of as many layers, and their bindings.
std::unique_ptr<CudaLayer> make_joined(std::span<const nn::Model::Entry> layers,
                                       std::span<const CudaBinding> bindings);

}  // namespace timbre::cuda
