#include "cuda/layers/lstm_joined.hpp"

#include "cuda/layers/rnn_cudnn.hpp"
#include "device/algorithms.hpp"
#include "nn/layers/dropout.hpp"
#include "nn/layers/lstm.hpp"

namespace timbre::cuda {
namespace {

template <class Options>
bool is(const nn::Model::Entry& entry) {
  return entry.layer->options().part() == Options::part;
}
template <class Options>
Options options_of(const nn::Model::Entry& entry) {
  return entry.layer->options().as<Options>();
}

}  // namespace

std::size_t joined_layers(std::span<const nn::Model::Entry> layers) {
  if (device::algorithm("TIMBRE_LSTM") != "cudnn" || device::algorithm("TIMBRE_DROPOUT") != "cudnn" ||
      layers.empty() || !is<nn::LstmOptions>(layers[0]) || layers[0].frozen || layers[0].mask >= 0)
    return 1;
  const auto first = options_of<nn::LstmOptions>(layers[0]);
  std::size_t count = 1;
  bool sequences = first.return_sequences;
  double rate = 0;
  const auto follows = [&](std::size_t i) { return i < layers.size() && layers[i].chained; };
  while (sequences && follows(count) && follows(count + 1) && is<nn::DropoutOptions>(layers[count]) &&
         is<nn::LstmOptions>(layers[count + 1])) {
    const auto dropout = options_of<nn::DropoutOptions>(layers[count]);
    const auto next = options_of<nn::LstmOptions>(layers[count + 1]);
    if (layers[count + 1].output.back() != layers[0].output.back() || next.go_backwards ||
        layers[count + 1].frozen || (count > 1 && dropout.rate != rate))
      break;
    rate = dropout.rate, sequences = next.return_sequences;
    count += 2;
  }
  return count;
}

std::unique_ptr<CudaLayer> make_joined(std::span<const nn::Model::Entry> layers,
                                       std::span<const CudaBinding> bindings) {
  RnnStack stack(options_of<nn::LstmOptions>(layers[0]), bindings[0]);
  for (std::size_t i = 2; i < layers.size(); i += 2)
    stack.add(options_of<nn::LstmOptions>(layers[i]), bindings[i]);
  stack.rate = options_of<nn::DropoutOptions>(layers[1]).rate;
  return make_rnn_on_cudnn(stack);
}

}  // namespace timbre::cuda
