// LSTMs and GRUs on cuDNN's RNN interface: any number of units.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/error_types.hpp"
#include "cuda/layers/cuda_layer.hpp"

namespace timbre::cuda {

/// Recurrent layers of one kind and of equal units on top of each other, with dropout between them in training
/// (lstm_joined.hpp); mostly there is one.
struct RnnStack {
  struct Layer {
    bool use_bias;
    CudaBinding binding;
  };
  std::string part;       // "lstm" or "gru"
  bool reversed;          // the first one's go_backwards
  bool sequences = true;  // the last one's return_sequences
  std::vector<Layer> layers;
  double rate = 0;

  template <class Options>
  RnnStack(const Options& options, const CudaBinding& binding)
      : part(Options::part), reversed(options.go_backwards) {
    add(options, binding);
  }
  template <class Options>
  void add(const Options& options, const CudaBinding& binding) {
    layers.push_back({options.use_bias, binding});
    sequences = options.return_sequences;
  }
};

/// cuDNN does not take this layer; the text says why.
class RnnRefused : public Error {
 public:
  using Error::Error;
};

/// The note also tells why the own kernel was not taken, where that is not empty. Throws RnnRefused.
std::unique_ptr<CudaLayer> make_rnn_on_cudnn(const RnnStack& stack, const std::string& why_not_own = "");

/// For notes: "lstm (layer 0, 128 units)".
std::string rnn_name(const std::string& part, const CudaBinding& binding);

}  // namespace timbre::cuda
