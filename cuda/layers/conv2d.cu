// conv2d (nn/layers/conv2d.hpp has the formula): on cuDNN, or by columns and cuBLAS.
//
// The environment variable TIMBRE_CONV says which: cudnn, own, or auto (the default), which takes cuDNN but for the
// shapes of a fixed table. What cuDNN refuses is computed by columns, and a note says so. The choice depends on shapes
// alone: a choice by timing, and with it the last bits, would differ from run to run.
#include <algorithm>
#include <array>

#include "cuda/layers/activation.hpp"
#include "cuda/layers/conv2d.hpp"
#include "device/algorithms.hpp"

namespace timbre::cuda {

// ---- The host's half

std::string conv2d_name(const CudaBinding& b) {
  return "conv2d (layer " + std::to_string(b.index) + ", " + std::to_string(b.output.back()) + " filters)";
}

Conv2DEnd::Conv2DEnd(const nn::Conv2DOptions& options, const CudaBinding& binding)
    : binding_(binding),
      activation_(nn::activation_of(options.activation)),
      use_bias_(options.use_bias),
      rows_(binding.capacity * binding.output.size() / binding.output.back()),
      filters_(binding.output.back()) {
  if (use_bias_) work_ = DeviceArray<float>(std::size_t(column_sums_work(rows_, filters_)));
}
void Conv2DEnd::forward(float* y) const {
  bias_activation(binding_.tools->stream, activation_, use_bias_ ? binding_.parameters[1] : nullptr, y, rows_,
                  filters_);
}
void Conv2DEnd::backward(const float* y, float* dy) const {
  activation_backward(binding_.tools->stream, activation_, y, dy, rows_, filters_, work_.data(),
                      use_bias_ ? binding_.gradients[1] : nullptr);
}

namespace {

struct KernelShape {
  std::int64_t height, width, channels, filters;
  bool operator==(const KernelShape&) const = default;
};
/// Shapes that a GPU computes quicker by columns. None has been measured yet; tools/gpu_check times both.
constexpr std::array<KernelShape, 0> quicker_by_columns{};

bool by_columns(const nn::Conv2DOptions& options, const CudaBinding& binding) {
  if (device::algorithm("TIMBRE_CONV") == "own") return true;
  const KernelShape shape{options.kernel_size.h, options.kernel_size.w, nn::picture(binding.input).back(),
                          options.filters};
  return !device::asked_for("TIMBRE_CONV") &&
         std::ranges::find(quicker_by_columns, shape) != quicker_by_columns.end();
}

}  // namespace

struct Conv2DDevice {
  static std::unique_ptr<CudaLayer> make(const nn::Conv2DOptions& options, const CudaBinding& binding) {
    if (by_columns(options, binding)) return make_conv2d_by_columns(options, binding, "");
    auto on_cudnn = make_conv2d_on_cudnn(options, binding);
    if (on_cudnn.layer) return std::move(on_cudnn.layer);
    return make_conv2d_by_columns(options, binding, on_cudnn.refused);
  }
};
const CudaLayers::Add<Conv2DDevice, nn::Conv2DOptions> conv2d;

}  // namespace timbre::cuda
