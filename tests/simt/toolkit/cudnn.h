// A stand-in for cuDNN, as much of it as Timbre calls, computed in double: LSTMs on top of each other, with a weight space in
// an order of its own (host/dnn.cpp), dropout (host/dnn_dropout.cpp), and convolutions of pictures with channels last
// (host/dnn_convolution.cpp).
#pragma once

#include <cstdint>

#include "cuda_runtime_api.h"

enum cudnnStatus_t {
  CUDNN_STATUS_SUCCESS = 0,
  CUDNN_STATUS_BAD_PARAM = 2000,
  CUDNN_STATUS_NOT_SUPPORTED = 3000,
  CUDNN_STATUS_EXECUTION_FAILED = 5000,
};
enum cudnnDataType_t { CUDNN_DATA_FLOAT = 0 };
enum cudnnMathType_t { CUDNN_DEFAULT_MATH = 0, CUDNN_FMA_MATH = 3 };
enum cudnnTensorFormat_t { CUDNN_TENSOR_NCHW = 0, CUDNN_TENSOR_NHWC = 1 };
enum cudnnConvolutionMode_t { CUDNN_CROSS_CORRELATION = 1 };
enum cudnnConvolutionFwdAlgo_t {
  CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM = 0,
  CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM = 1
};
enum cudnnConvolutionBwdDataAlgo_t { CUDNN_CONVOLUTION_BWD_DATA_ALGO_0 = 0, CUDNN_CONVOLUTION_BWD_DATA_ALGO_1 = 1 };
enum cudnnConvolutionBwdFilterAlgo_t { CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 = 0, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1 = 1 };
enum cudnnRNNAlgo_t { CUDNN_RNN_ALGO_STANDARD = 0, CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H = 3 };
enum cudnnRNNMode_t { CUDNN_LSTM = 2, CUDNN_GRU = 3 };
enum cudnnRNNBiasMode_t { CUDNN_RNN_NO_BIAS = 0, CUDNN_RNN_SINGLE_INP_BIAS = 1, CUDNN_RNN_DOUBLE_BIAS = 2 };
enum cudnnDirectionMode_t { CUDNN_UNIDIRECTIONAL = 0 };
enum cudnnRNNInputMode_t { CUDNN_LINEAR_INPUT = 0 };
enum cudnnRNNDataLayout_t { CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED = 0, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED = 1 };
enum cudnnForwardMode_t { CUDNN_FWD_MODE_INFERENCE = 0, CUDNN_FWD_MODE_TRAINING = 1 };
enum cudnnWgradMode_t { CUDNN_WGRAD_MODE_ADD = 0 };
inline constexpr std::uint32_t CUDNN_RNN_PADDED_IO_DISABLED = 0, CUDNN_RNN_PADDED_IO_ENABLED = 1;

struct cudnnContext;
struct cudnnTensorStruct;
struct cudnnDropoutStruct;
struct cudnnFilterStruct;
struct cudnnConvolutionStruct;
struct cudnnRNNStruct;
struct cudnnRNNDataStruct;
using cudnnHandle_t = cudnnContext*;
using cudnnTensorDescriptor_t = cudnnTensorStruct*;
using cudnnDropoutDescriptor_t = cudnnDropoutStruct*;
using cudnnFilterDescriptor_t = cudnnFilterStruct*;
using cudnnConvolutionDescriptor_t = cudnnConvolutionStruct*;
using cudnnRNNDescriptor_t = cudnnRNNStruct*;
using cudnnRNNDataDescriptor_t = cudnnRNNDataStruct*;

const char* cudnnGetErrorString(cudnnStatus_t);
cudnnStatus_t cudnnCreate(cudnnHandle_t*);
cudnnStatus_t cudnnDestroy(cudnnHandle_t);
cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t);
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t*);
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t);
cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t, cudnnDataType_t, int rank, const int* extents, const int* strides);
cudnnStatus_t cudnnGetTensorNdDescriptor(cudnnTensorDescriptor_t, int asked, cudnnDataType_t*, int* rank, int* extents, int* strides);
cudnnStatus_t cudnnCreateDropoutDescriptor(cudnnDropoutDescriptor_t*);
cudnnStatus_t cudnnDestroyDropoutDescriptor(cudnnDropoutDescriptor_t);
cudnnStatus_t cudnnSetDropoutDescriptor(cudnnDropoutDescriptor_t, cudnnHandle_t, float rate, void* states, std::size_t bytes,
                                        unsigned long long seed);
cudnnStatus_t cudnnDropoutGetStatesSize(cudnnHandle_t, std::size_t* bytes);
cudnnStatus_t cudnnDropoutGetReserveSpaceSize(cudnnTensorDescriptor_t, std::size_t* bytes);
cudnnStatus_t cudnnDropoutForward(cudnnHandle_t, cudnnDropoutDescriptor_t, cudnnTensorDescriptor_t, const void* x,
                                  cudnnTensorDescriptor_t, void* y, void* reserve, std::size_t bytes);
cudnnStatus_t cudnnDropoutBackward(cudnnHandle_t, cudnnDropoutDescriptor_t, cudnnTensorDescriptor_t, const void* dy,
                                   cudnnTensorDescriptor_t, void* dx, void* reserve, std::size_t bytes);
cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t*);
cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t);
cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t, cudnnRNNAlgo_t, cudnnRNNMode_t, cudnnRNNBiasMode_t,
                                       cudnnDirectionMode_t, cudnnRNNInputMode_t, cudnnDataType_t, cudnnDataType_t,
                                       cudnnMathType_t, std::int32_t inputs, std::int32_t hidden, std::int32_t projected,
                                       std::int32_t layers, cudnnDropoutDescriptor_t, std::uint32_t flags);
cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t*);
cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t);
cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t, cudnnDataType_t, cudnnRNNDataLayout_t, int steps, int rows,
                                        int size, const int* lengths, void* padding);
cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t, cudnnRNNDescriptor_t, cudnnForwardMode_t, cudnnRNNDataDescriptor_t,
                                        std::size_t* work, std::size_t* reserve);
cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t, cudnnRNNDescriptor_t, std::size_t* bytes);
cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t, cudnnRNNDescriptor_t, std::int32_t layer, std::size_t bytes, const void* space,
                                      std::int32_t which, cudnnTensorDescriptor_t, void** matrix, cudnnTensorDescriptor_t, void** bias);
cudnnStatus_t cudnnRNNForward(cudnnHandle_t, cudnnRNNDescriptor_t, cudnnForwardMode_t, const std::int32_t* lengths,
                              cudnnRNNDataDescriptor_t, const void* x, cudnnRNNDataDescriptor_t, void* y,
                              cudnnTensorDescriptor_t, const void* hx, void* hy, cudnnTensorDescriptor_t, const void* cx, void* cy,
                              std::size_t weight_bytes, const void* weights, std::size_t work_bytes, void* work,
                              std::size_t reserve_bytes, void* reserve);
cudnnStatus_t cudnnRNNBackwardData_v8(cudnnHandle_t, cudnnRNNDescriptor_t, const std::int32_t* lengths, cudnnRNNDataDescriptor_t,
                                      const void* y, const void* dy, cudnnRNNDataDescriptor_t, void* dx, cudnnTensorDescriptor_t,
                                      const void* hx, const void* dhy, void* dhx, cudnnTensorDescriptor_t, const void* cx,
                                      const void* dcy, void* dcx, std::size_t weight_bytes, const void* weights,
                                      std::size_t work_bytes, void* work, std::size_t reserve_bytes, void* reserve);
cudnnStatus_t cudnnRNNBackwardWeights_v8(cudnnHandle_t, cudnnRNNDescriptor_t, cudnnWgradMode_t, const std::int32_t* lengths,
                                         cudnnRNNDataDescriptor_t, const void* x, cudnnTensorDescriptor_t, const void* hx,
                                         cudnnRNNDataDescriptor_t, const void* y, std::size_t weight_bytes, void* gradients,
                                         std::size_t work_bytes, void* work, std::size_t reserve_bytes, void* reserve);

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t, cudnnTensorFormat_t, cudnnDataType_t, int n, int c, int h, int w);
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t*);
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t);
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t, cudnnDataType_t, cudnnTensorFormat_t, int k, int c, int h, int w);
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t*);
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t);
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t, int pad_h, int pad_w, int u, int v, int dilation_h,
                                              int dilation_w, cudnnConvolutionMode_t, cudnnDataType_t);
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t, cudnnMathType_t);
cudnnStatus_t cudnnGetConvolution2dForwardOutputDim(cudnnConvolutionDescriptor_t, cudnnTensorDescriptor_t x,
                                                    cudnnFilterDescriptor_t, int* n, int* c, int* h, int* w);
cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t,
                                                      cudnnConvolutionDescriptor_t, cudnnTensorDescriptor_t y,
                                                      cudnnConvolutionFwdAlgo_t, std::size_t* bytes);
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t, cudnnFilterDescriptor_t, cudnnTensorDescriptor_t dy,
                                                           cudnnConvolutionDescriptor_t, cudnnTensorDescriptor_t dx,
                                                           cudnnConvolutionBwdDataAlgo_t, std::size_t* bytes);
cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t dy,
                                                             cudnnConvolutionDescriptor_t, cudnnFilterDescriptor_t,
                                                             cudnnConvolutionBwdFilterAlgo_t, std::size_t* bytes);
cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t, const void* alpha, cudnnTensorDescriptor_t, const void* x,
                                      cudnnFilterDescriptor_t, const void* w, cudnnConvolutionDescriptor_t,
                                      cudnnConvolutionFwdAlgo_t, void* work, std::size_t work_bytes, const void* beta,
                                      cudnnTensorDescriptor_t, void* y);
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t, const void* alpha, cudnnFilterDescriptor_t, const void* w,
                                           cudnnTensorDescriptor_t, const void* dy, cudnnConvolutionDescriptor_t,
                                           cudnnConvolutionBwdDataAlgo_t, void* work, std::size_t work_bytes, const void* beta,
                                           cudnnTensorDescriptor_t, void* dx);
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t, const void* alpha, cudnnTensorDescriptor_t, const void* x,
                                             cudnnTensorDescriptor_t, const void* dy, cudnnConvolutionDescriptor_t,
                                             cudnnConvolutionBwdFilterAlgo_t, void* work, std::size_t work_bytes,
                                             const void* beta, cudnnFilterDescriptor_t, void* dw);

namespace simt {
struct Dnn {
  /// What it answers where an LSTM asks for the persistent algorithm: at once, or when it is run.
  cudnnStatus_t persistent = CUDNN_STATUS_SUCCESS, persistent_packed = CUDNN_STATUS_SUCCESS,
                persistent_backward = CUDNN_STATUS_SUCCESS;
  /// What it answers to convolutions: to forward's algorithm 1, to all gradients of the input, when one of the kernel runs.
  cudnnStatus_t convolution_1 = CUDNN_STATUS_SUCCESS, input_gradient = CUDNN_STATUS_SUCCESS,
                kernel_gradient = CUDNN_STATUS_SUCCESS;
  std::int64_t handles = 0;       // that were made
  std::int64_t convolutions = 0;  // that were enqueued
};
Dnn& dnn();
}  // namespace simt
