// An LSTM by own kernels (lstm.cu chooses between them and cuDNN, rnn_cudnn.hpp).
#pragma once

#include <memory>
#include <string>

#include "cuda/layers/cuda_layer.hpp"
#include "nn/layers/lstm.hpp"

namespace timbre::cuda {

/// cuBLAS for what does not depend on the step before, and lstm_recurrence for the rest.
std::unique_ptr<CudaLayer> make_lstm_on_chip(const nn::LstmOptions& options, const CudaBinding& binding);
/// The reason why the own kernel cannot compute this layer; "" where it can.
std::string why_not_on_chip(const CudaBinding& binding);

}  // namespace timbre::cuda
