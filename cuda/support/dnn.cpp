#include "cuda/support/dnn.hpp"

#include <cstdio>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "cuda/support/device_lock.hpp"

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

void DnnHandleTraits::destroy(value_type v) noexcept {
  const std::lock_guard guard(device_lock());
  complain_dnn(cudnnDestroy(v), "cudnnDestroy");
}
DnnHandle make_dnn_handle() {
  const std::lock_guard guard(device_lock());
  cudnnHandle_t v = nullptr;
  TIMBRE_DNN_CHECK(cudnnCreate(&v));
  return DnnHandle(v);
}

RnnDescriptors::RnnDescriptors(const RnnShape& s, RnnLayout layout) {
  const std::vector<int> lengths(std::size_t(s.rows), s.steps);
  float padding = 0;
  const auto set = [&](cudnnRNNDataDescriptor_t d, int size) {
    return layout == RnnLayout::packed
               ? cudnnSetRNNDataDescriptor(d, CUDNN_DATA_FLOAT, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED,
                                           s.steps, s.rows, size, lengths.data(), nullptr)
               : cudnnSetRNNDataDescriptor(d, CUDNN_DATA_FLOAT, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED,
                                           s.steps, s.rows, size, lengths.data(), &padding);
  };
  TIMBRE_DNN_CHECK(set(x, s.inputs));
  TIMBRE_DNN_CHECK(set(y, s.units));
  const int extents[] = {s.layers, s.rows, s.units}, strides[] = {s.rows * s.units, s.units, 1};
  TIMBRE_DNN_CHECK(cudnnSetTensorNdDescriptor(state, CUDNN_DATA_FLOAT, 3, extents, strides));
}

cudnnStatus_t set_rnn(cudnnRNNDescriptor_t rnn, cudnnRNNAlgo_t algorithm, RnnLayout layout, const RnnShape& s,
                      cudnnDropoutDescriptor_t dropout) {
  // Two biases. A GRU needs both; of an LSTM's Timbre leaves the second at zero: the persistent algorithms take no other mode.
  return cudnnSetRNNDescriptor_v8(
      rnn, algorithm, s.cell, CUDNN_RNN_DOUBLE_BIAS, CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT,
      CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT, CUDNN_FMA_MATH, s.inputs, s.units, s.units, s.layers, dropout,
      layout == RnnLayout::packed ? CUDNN_RNN_PADDED_IO_DISABLED : CUDNN_RNN_PADDED_IO_ENABLED);
}

}  // namespace timbre::cuda
