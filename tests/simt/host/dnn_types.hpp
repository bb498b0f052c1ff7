// What the stand-in's handles and descriptors of cuDNN hold.
#pragma once

#include <vector>

#include "cudnn.h"
#include "host/device.hpp"

struct cudnnContext {
  int device = simt::current_device();
  cudaStream_t stream = nullptr;
};
struct cudnnTensorStruct {
  std::vector<int> extents, strides;  // of pictures: n, c, h, w
};
struct cudnnFilterStruct {
  int filters = 0, channels = 0, h = 0, w = 0;  // channels last
};
struct cudnnConvolutionStruct {
  int pad_h = 0, pad_w = 0, stride_h = 0, stride_w = 0;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};
struct cudnnDropoutStruct {
  bool set = false;
  float rate = 0;
  void* states = nullptr;
};
struct cudnnRNNStruct {
  cudnnRNNAlgo_t algorithm;
  int gates = 0;  // 4 of an LSTM, 3 of a GRU
  int inputs = 0, units = 0, layers = 0;
  bool padded = false;
  cudnnDropoutDescriptor_t dropout = nullptr;
};
struct cudnnRNNDataStruct {
  int steps = 0, rows = 0, size = 0;
  bool padded = false;
};

namespace simt {

template <class T>
cudnnStatus_t create(T** out) {
  if (call_fails()) return CUDNN_STATUS_EXECUTION_FAILED;
  *out = new T;
  ++device().live;
  return CUDNN_STATUS_SUCCESS;
}
template <class T>
cudnnStatus_t destroy(T* p) {
  delete p;
  --device().live;
  return CUDNN_STATUS_SUCCESS;
}

/// Draws `count` masks, 1 / (1 - rate) or 0, from a descriptor's states, and moves them on.
void draw_masks(float rate, void* states, std::int64_t count, float* masks);

}  // namespace simt

#define SIMT_DNN_CALL \
  if (simt::call_fails()) return CUDNN_STATUS_EXECUTION_FAILED
