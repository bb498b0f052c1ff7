// Convolutions of pictures by cuDNN: descriptors, algorithms, work space; channels last (NHWC), float32 without TF32.
//
//   x [rows, height, width, channels]    w [filters, kernel_h, kernel_w, channels]    y [rows, out_h, out_w, filters]
//
// cuDNN 9 calls this interface deprecated and keeps it; it is used in dnn_convolution.cpp alone. Descriptors and the shape
// of y need no device (tests/cuda/test_cudnn_convolutions.cpp); work spaces and everything that runs need one.
// Source: NVIDIA's cuDNN API reference, cudnn_cnn.
#pragma once

#include <cstdint>
#include <string>

#include "cuda/support/dnn.hpp"
#include "cuda/support/memory.hpp"
#include "nn/layers/window.hpp"

namespace timbre::cuda {

struct ConvolutionShape {
  int rows, height, width, channels, filters;
  int kernel_h, kernel_w, stride_h, stride_w;
  int pad_h, pad_w;  // at both ends
  int out_h, out_w;
  bool padded_before;  // the padding of the ends differs: height and width have it already
};
/// Of a window over `rows` pictures. Throws Error where cuDNN's 32 bits do not hold a size.
ConvolutionShape convolution_shape(const nn::Window2D& window, std::int64_t rows, std::int64_t filters);

/// Throws Error where cuDNN expects another y.
struct ConvolutionDescriptors {
  explicit ConvolutionDescriptors(const ConvolutionShape& shape);
  TensorDescriptor x, y;
  FilterDescriptor w;
  ConvolutionDescriptor convolution;
};

/// The three passes of a convolution. Each takes the first algorithm of a fixed list that cuDNN accepts; all in the lists give
/// the same bytes each time.
class DnnConvolution {
 public:
  DnnConvolution(cudnnHandle_t handle, cudaStream_t stream, const ConvolutionShape& shape);

  /// Takes the first algorithm for each that cuDNN does not refuse, in a trial on zeros too. "", or what was refused.
  std::string plan(bool input_gradient, bool kernel_gradient);
  /// "forward 1, dx 1, dW 1": the algorithms' numbers in cuDNN.
  std::string algorithms() const;

  void forward(const float* x, const float* w, float* y) const;
  void input_gradient(const float* w, const float* dy, float* dx) const;
  void kernel_gradient(const float* x, const float* dy, float* dw) const;

 private:
  /// One of the three, by one algorithm.
  struct Pass {
    const char* name;
    int algorithm = -1;  // none
  };
  cudnnStatus_t run_forward(const float* x, const float* w, float* y) const;
  cudnnStatus_t run_input_gradient(const float* w, const float* dy, float* dx) const;
  cudnnStatus_t run_kernel_gradient(const float* x, const float* dy, float* dw) const;
  cudnnStatus_t work_bytes(const Pass& pass, std::size_t* bytes) const;
  void make_room(std::size_t bytes);

  cudnnHandle_t handle_;
  cudaStream_t stream_;
  ConvolutionShape shape_;
  ConvolutionDescriptors d_;
  Pass forward_{"forward"}, dx_{"dx"}, dw_{"dW"};
  DeviceArray<char> work_;
};

}  // namespace timbre::cuda
