#include "cuda/support/dnn_convolution.hpp"

#include <array>
#include <limits>
#include <span>

#include "core/error.hpp"

namespace timbre::cuda {
namespace {

// Of cuDNN's algorithms those that add up in one order, the likely quicker first (cudnn_ops.h names the others
// non-deterministic). Which is taken does not depend on the batch, so that a row's numbers do not either.
constexpr int forward_algorithms[] = {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                      CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM};
constexpr int input_gradient_algorithms[] = {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1};
constexpr int kernel_gradient_algorithms[] = {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1};

constexpr float one = 1, zero = 0;

int narrow(std::int64_t value) {
  if (value < 0 || value > std::numeric_limits<int>::max())
    fail("a convolution's size of {} is more than cuDNN counts", value);
  return int(value);
}

}  // namespace

ConvolutionShape convolution_shape(const nn::Window2D& window, std::int64_t rows, std::int64_t filters) {
  const auto &h = window.h, &w = window.w;
  const bool padded = h.before != h.after || w.before != w.after;
  const auto side = [&](const nn::WindowAxis& a) { return narrow(padded ? a.padded() : a.in); };
  return {.rows = narrow(rows),
          .height = side(h),
          .width = side(w),
          .channels = narrow(window.channels),
          .filters = narrow(filters),
          .kernel_h = narrow(h.kernel),
          .kernel_w = narrow(w.kernel),
          .stride_h = narrow(h.stride),
          .stride_w = narrow(w.stride),
          .pad_h = padded ? 0 : narrow(h.before),
          .pad_w = padded ? 0 : narrow(w.before),
          .out_h = narrow(h.out),
          .out_w = narrow(w.out),
          .padded_before = padded};
}

ConvolutionDescriptors::ConvolutionDescriptors(const ConvolutionShape& s) {
  TIMBRE_DNN_CHECK(cudnnSetTensor4dDescriptor(x, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, s.rows, s.channels,
                                              s.height, s.width));
  TIMBRE_DNN_CHECK(cudnnSetTensor4dDescriptor(y, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, s.rows, s.filters,
                                              s.out_h, s.out_w));
  TIMBRE_DNN_CHECK(cudnnSetFilter4dDescriptor(w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, s.filters, s.channels,
                                              s.kernel_h, s.kernel_w));
  TIMBRE_DNN_CHECK(cudnnSetConvolution2dDescriptor(convolution, s.pad_h, s.pad_w, s.stride_h, s.stride_w, 1,
                                                   1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
  TIMBRE_DNN_CHECK(cudnnSetConvolutionMathType(convolution, CUDNN_FMA_MATH));  // no TF32
  std::array<int, 4> out{};
  TIMBRE_DNN_CHECK(
      cudnnGetConvolution2dForwardOutputDim(convolution, x, w, &out[0], &out[1], &out[2], &out[3]));
  if (out != std::array{s.rows, s.filters, s.out_h, s.out_w})
    fail("cuDNN: a convolution gives {} x {} x {} x {}, and not {} x {} x {} x {}", out[0], out[1], out[2],
         out[3], s.rows, s.filters, s.out_h, s.out_w);
}

DnnConvolution::DnnConvolution(cudnnHandle_t handle, cudaStream_t stream, const ConvolutionShape& shape)
    : handle_(handle), stream_(stream), shape_(shape), d_(shape) {}

cudnnStatus_t DnnConvolution::run_forward(const float* x, const float* w, float* y) const {
  return cudnnConvolutionForward(handle_, &one, d_.x, x, d_.w, w, d_.convolution,
                                 cudnnConvolutionFwdAlgo_t(forward_.algorithm), work_.data(), work_.size(),
                                 &zero, d_.y, y);
}
cudnnStatus_t DnnConvolution::run_input_gradient(const float* w, const float* dy, float* dx) const {
  return cudnnConvolutionBackwardData(handle_, &one, d_.w, w, d_.y, dy, d_.convolution,
                                      cudnnConvolutionBwdDataAlgo_t(dx_.algorithm), work_.data(),
                                      work_.size(), &zero, d_.x, dx);
}
cudnnStatus_t DnnConvolution::run_kernel_gradient(const float* x, const float* dy, float* dw) const {
  return cudnnConvolutionBackwardFilter(handle_, &one, d_.x, x, d_.y, dy, d_.convolution,
                                        cudnnConvolutionBwdFilterAlgo_t(dw_.algorithm), work_.data(),
                                        work_.size(), &zero, d_.w, dw);
}
void DnnConvolution::forward(const float* x, const float* w, float* y) const {
  TIMBRE_DNN_CHECK(run_forward(x, w, y));
}
void DnnConvolution::input_gradient(const float* w, const float* dy, float* dx) const {
  TIMBRE_DNN_CHECK(run_input_gradient(w, dy, dx));
}
void DnnConvolution::kernel_gradient(const float* x, const float* dy, float* dw) const {
  TIMBRE_DNN_CHECK(run_kernel_gradient(x, dy, dw));
}

cudnnStatus_t DnnConvolution::work_bytes(const Pass& pass, std::size_t* bytes) const {
  if (&pass == &forward_)
    return cudnnGetConvolutionForwardWorkspaceSize(handle_, d_.x, d_.w, d_.convolution, d_.y,
                                                   cudnnConvolutionFwdAlgo_t(pass.algorithm), bytes);
  if (&pass == &dx_)
    return cudnnGetConvolutionBackwardDataWorkspaceSize(handle_, d_.w, d_.y, d_.convolution, d_.x,
                                                        cudnnConvolutionBwdDataAlgo_t(pass.algorithm), bytes);
  return cudnnGetConvolutionBackwardFilterWorkspaceSize(
      handle_, d_.x, d_.y, d_.convolution, d_.w, cudnnConvolutionBwdFilterAlgo_t(pass.algorithm), bytes);
}

void DnnConvolution::make_room(std::size_t bytes) {
  if (bytes <= work_.size()) return;
  TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream_));  // the trial before may still use it
  work_ = {};
  work_ = DeviceArray<char>(bytes);
}

std::string DnnConvolution::plan(bool input_gradient, bool kernel_gradient) {
  const auto& s = shape_;
  const auto count = [](auto... sides) { return (std::size_t(sides) * ...); };
  const DeviceArray<float> x(count(s.rows, s.height, s.width, s.channels)),
      w(count(s.filters, s.kernel_h, s.kernel_w, s.channels)), y(count(s.rows, s.out_h, s.out_w, s.filters));
  const WaitAtEnd end(stream_);  // before these go
  for (const auto* a : {&x, &w, &y}) clear_on_device(*a, stream_);
  const auto first = [&](Pass& pass, std::span<const int> algorithms, auto&& run) {
    std::string refused;
    for (const int algorithm : algorithms) {
      pass.algorithm = algorithm;
      std::size_t bytes = 0;
      auto status = work_bytes(pass, &bytes);
      if (status == CUDNN_STATUS_SUCCESS) {
        make_room(bytes);
        status = run();
      }
      if (status == CUDNN_STATUS_SUCCESS) return std::string();
      refused += (refused.empty() ? "" : ", ") +
                 fmt::format("{} {}: {}", pass.name, algorithm, cudnnGetErrorString(status));
    }
    pass.algorithm = -1;
    return refused;
  };
  auto refused =
      first(forward_, forward_algorithms, [&] { return run_forward(x.data(), w.data(), y.data()); });
  if (refused.empty() && input_gradient)
    refused = first(dx_, input_gradient_algorithms,
                    [&] { return run_input_gradient(w.data(), y.data(), x.data()); });
  if (refused.empty() && kernel_gradient)
    refused = first(dw_, kernel_gradient_algorithms,
                    [&] { return run_kernel_gradient(x.data(), y.data(), w.data()); });
  if (refused.empty()) TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream_));
  return refused;
}

std::string DnnConvolution::algorithms() const {
  std::string text;
  for (const auto* pass : {&forward_, &dx_, &dw_})
    if (pass->algorithm >= 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", pass->name, pass->algorithm);
  return text;
}

}  // namespace timbre::cuda
