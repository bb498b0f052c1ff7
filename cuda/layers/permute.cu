// permute: the axes in another order (nn/layers/permute.hpp): a thread per value, which looks up where it comes from.
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"
#include "nn/layers/permute.hpp"

namespace timbre::cuda {

/// source [size]: for each value of the permuted row, where it is in the other. `back` goes the other way.
struct Permuted {
  Divisor size;
  const std::int32_t* source;
  const float* from;
  float* to;
  bool back;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [row, at] = size(i);
    const std::int64_t other = static_cast<std::int64_t>(row) * size.divisor() + source[at];
    if (back)
      to[other] = from[i];
    else
      to[i] = from[other];
  }
};

// ---- The host's half

class PermuteDevice final : public CudaLayer {
 public:
  PermuteDevice(const nn::PermuteOptions& options, const CudaBinding& binding)
      : binding_(binding),
        source_(upload<std::int32_t>(nn::sources_of(options, binding.input), binding.tools->stream)) {}
  void forward(bool, const float* x, float* y) override { run(x, y, false); }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient) run(dy, dx, true);
  }

 private:
  void run(const float* from, float* to, bool back) {
    const auto size = binding_.input.size();
    for_each_element(binding_.tools->stream, binding_.capacity * size,
                     Permuted{Divisor(size), source_.data(), from, to, back});
  }

  CudaBinding binding_;
  DeviceArray<std::int32_t> source_;
};

inline const CudaLayers::Add<PermuteDevice, nn::PermuteOptions> permute;

}  // namespace timbre::cuda
