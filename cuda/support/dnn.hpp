// cuDNN's handles and descriptors, owned; and checked calls.
//
// Descriptors need no device: they are made, and refused, without one
// (tests/cuda/test_cudnn_descriptors.cpp). A handle, the sizes of weight and work spaces, and everything that
// runs need one.
#pragma once

#include <cudnn.h>

#include "cuda/support/handles.hpp"

namespace timbre::cuda {

/// Throws Error where status is not CUDNN_STATUS_SUCCESS.
void check_dnn(cudnnStatus_t status, const char* expression, const char* file, int line);
void complain_dnn(cudnnStatus_t status, const char* expression) noexcept;
#define TIMBRE_DNN_CHECK(...) ::timbre::cuda::check_dnn((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

#define TIMBRE_DNN_HANDLE(Name, type, create)                        \
  struct Name##Traits {                                              \
    using value_type = type;                                         \
    static constexpr value_type null = nullptr;                      \
    static void destroy(value_type v) noexcept {                     \
      complain_dnn(cudnnDestroy##create(v), "cudnnDestroy" #create); \
    }                                                                \
  };                                                                 \
  struct Name : Handle<Name##Traits> {                               \
    Name() : Handle(made()) {}                                       \
    static type made() {                                             \
      type v = nullptr;                                              \
      TIMBRE_DNN_CHECK(cudnnCreate##create(&v));                     \
      return v;                                                      \
    }                                                                \
  }
TIMBRE_DNN_HANDLE(TensorDescriptor, cudnnTensorDescriptor_t, TensorDescriptor);
TIMBRE_DNN_HANDLE(DropoutDescriptor, cudnnDropoutDescriptor_t, DropoutDescriptor);
TIMBRE_DNN_HANDLE(RnnDescriptor, cudnnRNNDescriptor_t, RNNDescriptor);
TIMBRE_DNN_HANDLE(RnnDataDescriptor, cudnnRNNDataDescriptor_t, RNNDataDescriptor);
TIMBRE_DNN_HANDLE(FilterDescriptor, cudnnFilterDescriptor_t, FilterDescriptor);
TIMBRE_DNN_HANDLE(ConvolutionDescriptor, cudnnConvolutionDescriptor_t, ConvolutionDescriptor);
#undef TIMBRE_DNN_HANDLE

struct DnnHandleTraits {
  using value_type = cudnnHandle_t;
  static constexpr value_type null = nullptr;
  static void destroy(value_type v) noexcept;
};
using DnnHandle = Handle<DnnHandleTraits>;
/// Made and ended under the device's lock (support/device_lock.hpp).
DnnHandle make_dnn_handle();

/// An RNN over whole sequences of one length, time-major: x [T, rows, inputs] -> y [T, rows, units].
struct RnnShape {
  int rows, steps, inputs, units;
  int layers = 1;  // each above the first takes the one below's y, with dropout between
  cudnnRNNMode_t cell = CUDNN_LSTM;
};

/// How sequences of one length lie is the same in both layouts; what algorithms take is not.
enum class RnnLayout { packed, padded };

struct RnnDescriptors {
  RnnDescriptors(const RnnShape& shape, RnnLayout layout);
  RnnDataDescriptor x, y;
  TensorDescriptor state;  // of h, and of an LSTM's c
};

/// Sets up the algorithm; the status says whether cuDNN takes it. float32 throughout, without TF32. dropout:
/// between the layers, or null where there is no device.
cudnnStatus_t set_rnn(cudnnRNNDescriptor_t rnn, cudnnRNNAlgo_t algorithm, RnnLayout layout,
                      const RnnShape& shape, cudnnDropoutDescriptor_t dropout);

}  // namespace timbre::cuda
