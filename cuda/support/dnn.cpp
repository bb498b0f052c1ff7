#include "cuda/support/dnn.hpp"

#include <cstdio>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace timbre::cuda {

void check_dnn(cudnnStatus_t status, const char* expression, const char* file, int line) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  const std::string_view path(file);
  fail("cuDNN: {}: {} ({}:{})", expression, cudnnGetErrorString(status),
       path.substr(path.find_last_of('/') + 1), line);
}

void complain_dnn(cudnnStatus_t status, const char* expression) noexcept {
  if (status != CUDNN_STATUS_SUCCESS)
    std::fprintf(stderr, "cuDNN: %s: %s\n", expression, cudnnGetErrorString(status));
}

LstmDescriptors::LstmDescriptors(const LstmShape& s) {
  const std::vector<int> lengths(std::size_t(s.rows), s.steps);
  // Of one length, packed sequences lie as unpacked ones do, and every algorithm takes them.
  TIMBRE_DNN_CHECK(cudnnSetRNNDataDescriptor(x, CUDNN_DATA_FLOAT, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED,
                                             s.steps, s.rows, s.inputs, lengths.data(), nullptr));
  TIMBRE_DNN_CHECK(cudnnSetRNNDataDescriptor(y, CUDNN_DATA_FLOAT, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED,
                                             s.steps, s.rows, s.units, lengths.data(), nullptr));
  const int extents[] = {1, s.rows, s.units}, strides[] = {s.rows * s.units, s.units, 1};
  TIMBRE_DNN_CHECK(cudnnSetTensorNdDescriptor(state, CUDNN_DATA_FLOAT, 3, extents, strides));
}

cudnnStatus_t set_lstm(cudnnRNNDescriptor_t rnn, cudnnRNNAlgo_t algorithm, const LstmShape& s,
                       cudnnDropoutDescriptor_t dropout) {
  // Two biases, of which Timbre leaves the second at zero: the persistent algorithms take no other mode.
  return cudnnSetRNNDescriptor_v8(rnn, algorithm, CUDNN_LSTM, CUDNN_RNN_DOUBLE_BIAS, CUDNN_UNIDIRECTIONAL,
                                  CUDNN_LINEAR_INPUT, CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT, CUDNN_FMA_MATH,
                                  s.inputs, s.units, s.units, 1, dropout, CUDNN_RNN_PADDED_IO_DISABLED);
}

}  // namespace timbre::cuda
