// The two ways in which the GPU computes a convolution, behind one layer (conv2d.cu chooses).
#pragma once

#include <memory>
#include <string>

#include "cuda/layers/cuda_layer.hpp"
#include "nn/activation.hpp"
#include "nn/layers/conv2d.hpp"

namespace timbre::cuda {

/// cuDNN's convolutions: the layer, or what cuDNN refuses of it.
struct Conv2DOnCudnn {
  std::unique_ptr<CudaLayer> layer;
  std::string refused;
};
Conv2DOnCudnn make_conv2d_on_cudnn(const nn::Conv2DOptions& options, const CudaBinding& binding);

/// Windows as the rows of a matrix, and cuBLAS: any convolution. The note tells why cuDNN's was not taken, where that is
/// not empty.
std::unique_ptr<CudaLayer> make_conv2d_by_columns(const nn::Conv2DOptions& options,
                                                  const CudaBinding& binding,
                                                  const std::string& why_not_on_cudnn);

/// Bias and activation, which follow either. The sums of a bias gradient need work space.
struct Conv2DEnd {
  Conv2DEnd(const nn::Conv2DOptions& options, const CudaBinding& binding);
  /// y = activation(y + bias), in place.
  void forward(float* y) const;
  /// dy = dy activation'(y), in place; and the bias gradient.
  void backward(const float* y, float* dy) const;

 private:
  CudaBinding binding_;
  nn::Activation activation_;
  bool use_bias_;
  std::int64_t rows_, filters_;
  DeviceArray<float> work_;
};

/// For notes: "conv2d (layer 0, 32 filters)".
std::string conv2d_name(const CudaBinding& binding);

}  // namespace timbre::cuda
