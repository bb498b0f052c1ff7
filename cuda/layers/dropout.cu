// dropout: the CPU's masks (dropout_own.cuh), or cuDNN's.
//
// The environment variable TIMBRE_DROPOUT says which: own, cudnn, or auto (the default), which takes the own ones. They come
// from the seed and the step alone. So they are the CPU's, a run can go on on any device, and backward needs nothing from
// forward. Where LSTMs are cuDNN's too, `lstm, dropout, lstm` becomes one RNN (layers/lstm_joined.hpp).
#include "cuda/layers/dropout.hpp"
#include "cuda/layers/dropout_own.cuh"
#include "device/algorithms.hpp"

namespace timbre::cuda {

// ---- The host's half

namespace {

class DropoutByCounter final : public CudaLayer {
 public:
  DropoutByCounter(const nn::DropoutOptions& options, const CudaBinding& binding)
      : binding_(binding), rate_(options.rate), size_(binding.capacity * binding.input.size()) {}
  void forward(bool training, const float* x, float* y) override { run(training, x, y); }
  void backward(const float*, const float*, float* dy, float* dx) override {
    if (binding_.input_gradient) run(true, dy, dx);
  }

 private:
  void run(bool training, const float* from, float* to) {
    const auto stream = binding_.tools->stream;
    if (training && rate_ > 0)
      apply_dropout(stream, binding_.seed, binding_.index, rate_, binding_.step, from, to, size_);
    else
      copy_on_device(from, to, std::size_t(size_), stream);
  }

  CudaBinding binding_;
  double rate_;
  std::int64_t size_;
};

}  // namespace

struct DropoutDevice {
  static std::unique_ptr<CudaLayer> make(const nn::DropoutOptions& options, const CudaBinding& binding) {
    if (device::algorithm("TIMBRE_DROPOUT") == "cudnn") return make_dropout_on_cudnn(options, binding);
    return std::make_unique<DropoutByCounter>(options, binding);
  }
};
const CudaLayers::Add<DropoutDevice, nn::DropoutOptions> dropout;

}  // namespace timbre::cuda
