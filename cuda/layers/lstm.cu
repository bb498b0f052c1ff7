// lstm (nn/layers/lstm.hpp has the formula): on cuDNN, or by the own kernel that keeps the recurrent
// weights on the chip.
//
// The environment variable TIMBRE_LSTM says which: cudnn, own (where it can), or auto (the default). auto
// takes cuDNN: the own kernel is quicker on paper (lstm_recurrence.cuh), and has not been timed on a GPU yet.
#include <cstdlib>
#include <string_view>

#include "core/error_types.hpp"
#include "cuda/layers/lstm.hpp"

namespace timbre::cuda {

// ---- The host's half

std::string lstm_name(const CudaBinding& b) {
  return "lstm (layer " + std::to_string(b.index) + ", " + std::to_string(b.output.back()) + " units)";
}

struct LstmDevice {
  static std::unique_ptr<CudaLayer> make(const nn::LstmOptions& options, const CudaBinding& binding) {
    const char* set = std::getenv("TIMBRE_LSTM");
    const std::string_view wanted = set && *set ? set : "auto";
    if (wanted != "auto" && wanted != "cudnn" && wanted != "own")
      throw Error("TIMBRE_LSTM: '" + std::string(wanted) +
                  "' is no way to compute an LSTM; known: auto, cudnn, own");
    const auto why_not = wanted == "own" ? why_not_on_chip(binding) : "";
    if (wanted == "own" && why_not.empty()) return make_lstm_on_chip(options, binding);
    return make_lstm_on_cudnn(options, binding, why_not);
  }
};
const CudaLayers::Add<LstmDevice, nn::LstmOptions> lstm;

}  // namespace timbre::cuda
