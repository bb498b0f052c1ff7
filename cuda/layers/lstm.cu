// lstm (nn/layers/lstm.hpp has the formula): on cuDNN, or by the own kernel that keeps the recurrent
// weights on the chip.
//
// The environment variable TIMBRE_LSTM says which: cudnn, own (where it can), or auto (the default). auto
// takes cuDNN: the own kernel is quicker on paper (lstm_recurrence.cuh), and has not been timed on a GPU yet.
#include "cuda/layers/lstm.hpp"
#include "cuda/layers/rnn_cudnn.hpp"
#include "cuda/layers/skipping.hpp"
#include "device/algorithms.hpp"

namespace timbre::cuda {

// ---- The host's half

struct LstmDevice {
  static std::unique_ptr<CudaLayer> make(const nn::LstmOptions& options, const CudaBinding& binding) {
    return with_mask(options, binding, &without_mask);
  }

 private:
  static std::unique_ptr<CudaLayer> without_mask(const nn::LstmOptions& options, const CudaBinding& binding) {
    const auto wanted = device::algorithm("TIMBRE_LSTM");
    const auto why_not = wanted == "own" ? why_not_on_chip(binding) : "";
    if (wanted == "own" && why_not.empty()) return make_lstm_on_chip(options, binding);
    return make_rnn_on_cudnn({options, binding}, why_not);
  }
};
const CudaLayers::Add<LstmDevice, nn::LstmOptions> lstm;

}  // namespace timbre::cuda
