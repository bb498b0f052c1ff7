// The stand-in's convolutions: three loops in double over every product of x, w and y, channels last. Each wipes as much of
// the work space as it asked for. The algorithms that cuDNN calls non-deterministic are: they differ from call to call.
#include <atomic>
#include <cstring>
#include <utility>

#include "host/dnn_types.hpp"

namespace simt {
namespace {

struct Convolution {
  int rows, height, width, channels, filters, kernel_h, kernel_w, out_h, out_w;
  int pad_h, pad_w, stride_h, stride_w;

  std::size_t work_bytes(int algorithm) const {
    return std::size_t(algorithm) * 4 * std::size_t(kernel_h * kernel_w * channels) + 16;
  }
  std::size_t x_size() const { return std::size_t(rows) * std::size_t(height * width * channels); }
  std::size_t w_size() const { return std::size_t(filters) * std::size_t(kernel_h * kernel_w * channels); }
  std::size_t y_size() const { return std::size_t(rows) * std::size_t(out_h * out_w * filters); }

  /// Calls f(the first place in x, in w, in y) for each row, place and filter, and each place in the window that lies on the
  /// picture; `channels` values stand there in x and w, one in y.
  template <class F>
  void each(F&& f) const {
    for (int r = 0; r < rows; ++r)
      for (int oh = 0; oh < out_h; ++oh)
        for (int ow = 0; ow < out_w; ++ow)
          for (int k = 0; k < filters; ++k)
            for (int a = 0; a < kernel_h; ++a)
              for (int b = 0; b < kernel_w; ++b) {
                const int h = oh * stride_h - pad_h + a, v = ow * stride_w - pad_w + b;
                if (h < 0 || h >= height || v < 0 || v >= width) continue;
                f(((std::size_t(r) * std::size_t(height) + std::size_t(h)) * std::size_t(width) +
                   std::size_t(v)) *
                      std::size_t(channels),
                  ((std::size_t(k) * std::size_t(kernel_h) + std::size_t(a)) * std::size_t(kernel_w) +
                   std::size_t(b)) *
                      std::size_t(channels),
                  ((std::size_t(r) * std::size_t(out_h) + std::size_t(oh)) * std::size_t(out_w) +
                   std::size_t(ow)) *
                          std::size_t(filters) +
                      std::size_t(k));
              }
  }
};

/// What is computed from two arrays, in double; `wobble` is what the order of the day adds.
template <class F>
void compute(const Convolution& c, std::size_t size, void* out, bool wobble, F&& add) {
  static std::atomic<int> day{0};
  std::vector<double> sums(size);
  c.each([&](std::size_t x, std::size_t w, std::size_t y) { add(sums, x, w, y); });
  const double scale = wobble ? 1 + 1e-6 * (++day % 7) : 1;
  for (std::size_t i = 0; i < size; ++i) static_cast<float*>(out)[i] = float(sums[i] * scale);
}

bool takes(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t d,
           cudnnTensorDescriptor_t y, Convolution& c) {
  if (x->extents.size() != 4 || y->extents.size() != 4 || d->math != CUDNN_FMA_MATH) return false;
  c = {x->extents[0], x->extents[2], x->extents[3], x->extents[1], w->filters,  w->h,       w->w,
       y->extents[2], y->extents[3], d->pad_h,      d->pad_w,      d->stride_h, d->stride_w};
  int n = 0, k = 0, h = 0, v = 0;
  return cudnnGetConvolution2dForwardOutputDim(d, x, w, &n, &k, &h, &v) == CUDNN_STATUS_SUCCESS &&
         y->extents == std::vector{n, k, h, v};
}

bool alone(const void* alpha, const void* beta) {
  return *static_cast<const float*>(alpha) == 1 && *static_cast<const float*>(beta) == 0;
}

cudnnStatus_t answer(bool takes, cudnnStatus_t refusal, const Convolution& c, int algorithm,
                     std::size_t* bytes) {
  if (!takes) return CUDNN_STATUS_BAD_PARAM;
  *bytes = c.work_bytes(algorithm);
  return refusal;
}

template <class F>
cudnnStatus_t run(cudnnHandle_t h, bool takes, const Convolution& c, int algorithm, void* work,
                  std::size_t work_bytes, F&& f) {
  const auto needed = c.work_bytes(algorithm);
  if (!takes || !h || !work || work_bytes < needed) return CUDNN_STATUS_BAD_PARAM;
  ++dnn().convolutions;
  enqueue_work(h->stream, [=] {
    std::memset(work, 0xff, needed);
    f();
  });
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace
}  // namespace simt

using namespace simt;

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t d, cudnnTensorFormat_t format,
                                         cudnnDataType_t, int n, int c, int h, int w) {
  SIMT_DNN_CALL;
  if (n < 1 || c < 1 || h < 1 || w < 1 || format != CUDNN_TENSOR_NHWC) return CUDNN_STATUS_BAD_PARAM;
  d->extents = {n, c, h, w}, d->strides = {h * w * c, 1, w * c, c};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* d) { return create(d); }
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t d) { return destroy(d); }
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t d, cudnnDataType_t,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
  SIMT_DNN_CALL;
  if (k < 1 || c < 1 || h < 1 || w < 1 || format != CUDNN_TENSOR_NHWC) return CUDNN_STATUS_BAD_PARAM;
  *d = {k, c, h, w};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* d) { return create(d); }
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t d) { return destroy(d); }
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t d, int pad_h, int pad_w, int u,
                                              int v, int dilation_h, int dilation_w,
                                              cudnnConvolutionMode_t mode, cudnnDataType_t) {
  SIMT_DNN_CALL;
  if (pad_h < 0 || pad_w < 0 || u < 1 || v < 1 || dilation_h != 1 || dilation_w != 1 ||
      mode != CUDNN_CROSS_CORRELATION)
    return CUDNN_STATUS_BAD_PARAM;
  *d = {pad_h, pad_w, u, v, d->math};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t d, cudnnMathType_t math) {
  SIMT_DNN_CALL;
  d->math = math;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolution2dForwardOutputDim(cudnnConvolutionDescriptor_t d, cudnnTensorDescriptor_t x,
                                                    cudnnFilterDescriptor_t f, int* n, int* c, int* h,
                                                    int* w) {
  SIMT_DNN_CALL;
  if (x->extents.size() != 4 || x->extents[1] != f->channels) return CUDNN_STATUS_BAD_PARAM;
  *n = x->extents[0], *c = f->filters;
  *h = (x->extents[2] + 2 * d->pad_h - f->h) / d->stride_h + 1;
  *w = (x->extents[3] + 2 * d->pad_w - f->w) / d->stride_w + 1;
  return *h < 1 || *w < 1 ? CUDNN_STATUS_BAD_PARAM : CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(
    cudnnHandle_t, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t f, cudnnConvolutionDescriptor_t d,
    cudnnTensorDescriptor_t y, cudnnConvolutionFwdAlgo_t algorithm, std::size_t* bytes) {
  SIMT_DNN_CALL;
  Convolution c{};
  const auto refusal = algorithm == 1 ? dnn().convolution_1 : CUDNN_STATUS_SUCCESS;
  return answer(takes(x, f, d, y, c), refusal, c, algorithm, bytes);
}
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(
    cudnnHandle_t, cudnnFilterDescriptor_t f, cudnnTensorDescriptor_t y, cudnnConvolutionDescriptor_t d,
    cudnnTensorDescriptor_t x, cudnnConvolutionBwdDataAlgo_t algorithm, std::size_t* bytes) {
  SIMT_DNN_CALL;
  Convolution c{};
  return answer(takes(x, f, d, y, c), dnn().input_gradient, c, algorithm, bytes);
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t y, cudnnConvolutionDescriptor_t d,
    cudnnFilterDescriptor_t f, cudnnConvolutionBwdFilterAlgo_t algorithm, std::size_t* bytes) {
  SIMT_DNN_CALL;
  Convolution c{};
  return answer(takes(x, f, d, y, c), CUDNN_STATUS_SUCCESS, c, algorithm, bytes);
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t h, const void* alpha, cudnnTensorDescriptor_t xd,
                                      const void* x, cudnnFilterDescriptor_t f, const void* w,
                                      cudnnConvolutionDescriptor_t d, cudnnConvolutionFwdAlgo_t algorithm,
                                      void* work, std::size_t work_bytes, const void* beta,
                                      cudnnTensorDescriptor_t yd, void* y) {
  SIMT_DNN_CALL;
  Convolution c{};
  const bool good = takes(xd, f, d, yd, c) && alone(alpha, beta);
  return run(h, good, c, algorithm, work, work_bytes, [=] {
    compute(c, c.y_size(), y, false, [&](auto& sums, std::size_t at, std::size_t k, std::size_t to) {
      for (std::size_t i = 0; i < std::size_t(c.channels); ++i)
        sums[to] += double(static_cast<const float*>(x)[at + i]) * static_cast<const float*>(w)[k + i];
    });
  });
}
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t h, const void* alpha, cudnnFilterDescriptor_t f,
                                           const void* w, cudnnTensorDescriptor_t yd, const void* dy,
                                           cudnnConvolutionDescriptor_t d,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* work,
                                           std::size_t work_bytes, const void* beta,
                                           cudnnTensorDescriptor_t xd, void* dx) {
  SIMT_DNN_CALL;
  Convolution c{};
  const bool good = takes(xd, f, d, yd, c) && alone(alpha, beta);
  return run(h, good, c, algorithm, work, work_bytes, [=] {
    compute(c, c.x_size(), dx, algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_0,
            [&](auto& sums, std::size_t at, std::size_t k, std::size_t from) {
              for (std::size_t i = 0; i < std::size_t(c.channels); ++i)
                sums[at + i] +=
                    double(static_cast<const float*>(dy)[from]) * static_cast<const float*>(w)[k + i];
            });
  });
}
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t h, const void* alpha, cudnnTensorDescriptor_t xd,
                                             const void* x, cudnnTensorDescriptor_t yd, const void* dy,
                                             cudnnConvolutionDescriptor_t d,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm, void* work,
                                             std::size_t work_bytes, const void* beta,
                                             cudnnFilterDescriptor_t f, void* dw) {
  SIMT_DNN_CALL;
  if (dnn().kernel_gradient) return dnn().kernel_gradient;
  Convolution c{};
  const bool good = takes(xd, f, d, yd, c) && alone(alpha, beta);
  return run(h, good, c, algorithm, work, work_bytes, [=] {
    compute(c, c.w_size(), dw, algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
            [&](auto& sums, std::size_t at, std::size_t k, std::size_t from) {
              for (std::size_t i = 0; i < std::size_t(c.channels); ++i)
                sums[k + i] +=
                    double(static_cast<const float*>(dy)[from]) * static_cast<const float*>(x)[at + i];
            });
  });
}
