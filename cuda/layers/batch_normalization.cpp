// batch_normalization (src/nn/layers/batch_normalization.cpp), by own kernels: the moving variance is the
// biased one, as Keras's (cuDNN's is not), and rows that do not belong to the batch do not count.
#include "layers/device_layer.hpp"
#include "layers/kernels.hpp"

namespace timbre::cuda {
namespace {

class BatchNormalizationDevice final : public DeviceLayer {
 public:
  BatchNormalizationDevice(const nn::Layer& layer, const DeviceBinding& binding)
      : binding_(binding),
        channels_(binding.output.back()),
        inner_(binding.output.size() / channels_),
        floats_(std::size_t(7 * channels_)),
        doubles_(std::size_t(2 * channels_ + normalisation_work(binding.capacity, inner_, channels_))) {
    const Options options(layer.dump());
    arrays_.momentum = options.number("momentum"), arrays_.epsilon = options.number("epsilon");
    // The declared parameters, in order; gamma and beta only where asked for.
    std::size_t i = 0;
    if (options.flag("scale"))
      gamma_gradient_ = binding.gradients[i], arrays_.gamma = binding.parameters[i++];
    if (options.flag("center")) beta_gradient_ = binding.gradients[i], arrays_.beta = binding.parameters[i++];
    arrays_.moving_mean = binding.parameters[i], arrays_.moving_variance = binding.parameters[i + 1];
    float* f = floats_.data();
    for (float** p : {&arrays_.mean, &arrays_.factor, &arrays_.offset, &arrays_.mean_dy, &arrays_.factor_dy,
                      &arrays_.slope, &arrays_.rest})
      *p = f, f += channels_;
    double* d = doubles_.data();
    arrays_.exact_mean = d, arrays_.inverse = d + channels_;
    batch_ = {binding.capacity, inner_, channels_, binding.live, d + 2 * channels_};
  }
  void forward(bool training, const float* x, float* y) override {
    normalise(binding_.tools->stream, arrays_, batch_, training, x, y);
  }
  void backward(const float* x, const float*, float* dy, float* dx) override {
    normalise_backward(binding_.tools->stream, arrays_, batch_, x, dy, binding_.input_gradient ? dx : nullptr,
                       gamma_gradient_, beta_gradient_);
  }

 private:
  DeviceBinding binding_;
  std::int64_t channels_, inner_;
  DeviceArray<float> floats_;
  DeviceArray<double> doubles_;
  NormalisationArrays arrays_;
  NormalisationBatch batch_{};
  float *gamma_gradient_ = nullptr, *beta_gradient_ = nullptr;
};

const Registration<DeviceLayerType> registration{"batch_normalization",
                                                 {make_layer<BatchNormalizationDevice>}};

}  // namespace
}  // namespace timbre::cuda
