// dense: y = activation(x W + b) (nn/layers/dense.hpp), products by cuBLAS.
#include "cuda/layers/activation.hpp"
#include "cuda/layers/cuda_layer.hpp"
#include "nn/layers/dense.hpp"

namespace timbre::cuda {

// ---- The host's half

class DenseDevice final : public CudaLayer {
 public:
  DenseDevice(const nn::DenseOptions& options, const CudaBinding& binding) : binding_(binding) {
    activation_ = nn::activation_of(options.activation);
    if (binding.logits && activation_ == nn::Activation::softmax) activation_ = nn::Activation::linear;
    use_bias_ = options.use_bias;
    in_ = binding.input.back(), out_ = binding.output.back();
    rows_ = binding.capacity * binding.input.size() / in_;
    if (use_bias_) work_ = DeviceArray<float>(std::size_t(column_sums_work(rows_, out_)));
  }

  void forward(bool, const float* x, float* y) override {
    auto& t = *binding_.tools;
    t.blas.gemm(Op::none, Op::none, rows_, out_, in_, x, in_, binding_.parameters[0], out_, 0, y, out_);
    bias_activation(t.stream, activation_, use_bias_ ? binding_.parameters[1] : nullptr, y, rows_, out_);
  }

  void backward(const float* x, const float* y, float* dy, float* dx) override {
    auto& t = *binding_.tools;
    activation_backward(t.stream, activation_, y, dy, rows_, out_, work_.data(),
                        use_bias_ ? binding_.gradients[1] : nullptr);
    t.blas.gemm(Op::transpose, Op::none, in_, out_, rows_, x, in_, dy, out_, 0, binding_.gradients[0], out_);
    if (binding_.input_gradient)
      t.blas.gemm(Op::none, Op::transpose, rows_, in_, out_, dy, out_, binding_.parameters[0], out_, 0, dx,
                  in_);
  }

 private:
  CudaBinding binding_;
  nn::Activation activation_ = nn::Activation::linear;
  bool use_bias_ = true;
  std::int64_t in_ = 0, out_ = 0, rows_ = 0;
  DeviceArray<float> work_;
};

inline const CudaLayers::Add<DenseDevice, nn::DenseOptions> dense;

}  // namespace timbre::cuda
