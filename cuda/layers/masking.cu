// masking (nn/layers/masking.hpp): a thread for each step finds the mask, then a thread for each value keeps it or not.
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"
#include "nn/layers/masking.hpp"

namespace timbre::cuda {

/// mask [steps] of x [steps, width]
struct FindMask {
  const float* x;
  std::int64_t width;
  float mask_value;
  std::uint8_t* mask;
  template <class Index>
  __device__ void operator()(Index i) const {
    const float* from = x + static_cast<std::int64_t>(i) * width;
    bool counts = false;
    for (std::int64_t f = 0; f < width; ++f) counts = counts || from[f] != mask_value;
    mask[i] = counts;
  }
};

/// to = from where the step counts, else 0
struct KeepUnmasked {
  Divisor width;
  const std::uint8_t* mask;
  const float* from;
  float* to;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [step, f] = width(i);
    to[i] = mask[step] ? from[i] : 0.0f;
  }
};

// ---- The host's half

class MaskingDevice final : public CudaLayer {
 public:
  MaskingDevice(const nn::MaskingOptions& options, const CudaBinding& binding)
      : binding_(binding), mask_value_(float(options.mask_value)) {}
  void forward(bool, const float* x, float* y) override {
    for_each_element(binding_.tools->stream, binding_.capacity * binding_.input[0],
                     FindMask{x, binding_.input[1], mask_value_, binding_.mask});
    keep(x, y);
  }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient) keep(dy, dx);
  }

 private:
  void keep(const float* from, float* to) {
    for_each_element(binding_.tools->stream, binding_.capacity * binding_.input.size(),
                     KeepUnmasked{Divisor(binding_.input[1]), binding_.mask, from, to});
  }

  CudaBinding binding_;
  float mask_value_;
};

inline const CudaLayers::Add<MaskingDevice, nn::MaskingOptions> masking;

}  // namespace timbre::cuda
