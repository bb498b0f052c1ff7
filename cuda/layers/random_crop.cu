// random_crop: the CPU's windows (nn/layers/random_crop.hpp), bit for bit, found again in backward.
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"
#include "nn/layers/random_crop.hpp"

namespace timbre::cuda {

/// One value of the window; the step comes from device memory, so that a replayed graph draws anew.
struct TakeWindow {
  nn::CropWindows windows;
  bool training;
  const std::int64_t* step;
  std::int64_t whole, coefficients;
  Divisor window;
  const float* x;
  float* y;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [row, at] = window(i);
    const auto start = windows.start(training, static_cast<std::uint32_t>(*step), row);
    y[i] = x[static_cast<std::int64_t>(row) * whole + start * coefficients + at];
  }
};

/// One value of the whole: that of the window, or 0.
struct PutWindow {
  nn::CropWindows windows;
  const std::int64_t* step;
  std::int64_t window, coefficients;
  Divisor whole;
  const float* dy;
  float* dx;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [row, at] = whole(i);
    const auto start = windows.start(true, static_cast<std::uint32_t>(*step), row);
    const std::int64_t place = static_cast<std::int64_t>(at) - start * coefficients;
    dx[i] = place >= 0 && place < window ? dy[static_cast<std::int64_t>(row) * window + place] : 0.0f;
  }
};

// ---- The host's half

class RandomCropDevice final : public CudaLayer {
 public:
  RandomCropDevice(const nn::RandomCropOptions& options, const CudaBinding& binding)
      : binding_(binding),
        windows_{binding.input[0] - options.frames + 1, binding.seed,
                 static_cast<std::uint64_t>(binding.index)} {}
  void forward(bool training, const float* x, float* y) override {
    const auto window = binding_.output.size();
    for_each_element(binding_.tools->stream, binding_.capacity * window,
                     TakeWindow{windows_, training, binding_.step, binding_.input.size(), binding_.input[1],
                                Divisor(window), x, y});
  }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (!binding_.input_gradient) return;
    const auto whole = binding_.input.size();
    for_each_element(binding_.tools->stream, binding_.capacity * whole,
                     PutWindow{windows_, binding_.step, binding_.output.size(), binding_.input[1],
                               Divisor(whole), dy, dx});
  }

 private:
  CudaBinding binding_;
  nn::CropWindows windows_;
};

inline const CudaLayers::Add<RandomCropDevice, nn::RandomCropOptions> random_crop;

}  // namespace timbre::cuda
