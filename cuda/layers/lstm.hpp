// The ways in which the GPU computes an LSTM, behind one layer (lstm.cu chooses).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cuda/layers/cuda_layer.hpp"
#include "nn/layers/lstm.hpp"

namespace timbre::cuda {

/// LSTMs of equal units on top of each other, with dropout between them in training (lstm_joined.hpp); mostly there is one.
struct LstmStack {
  struct Layer {
    nn::LstmOptions options;
    CudaBinding binding;
  };
  std::vector<Layer> layers;
  double rate = 0;
};

/// cuDNN's RNN interface: any number of units. The note also tells why the other was not taken, where that is
/// not empty.
std::unique_ptr<CudaLayer> make_lstm_on_cudnn(const LstmStack& stack, const std::string& why_not_on_chip);
/// cuBLAS for what does not depend on the step before, and lstm_recurrence for the rest.
std::unique_ptr<CudaLayer> make_lstm_on_chip(const nn::LstmOptions& options, const CudaBinding& binding);
/// The reason why the own kernel cannot compute this layer; "" where it can.
std::string why_not_on_chip(const CudaBinding& binding);

/// For notes: "lstm (layer 0, 128 units)".
std::string lstm_name(const CudaBinding& binding);

}  // namespace timbre::cuda
