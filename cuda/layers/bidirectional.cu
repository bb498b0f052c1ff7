// bidirectional (nn/layers/bidirectional.hpp): two recurrent layers, and a kernel that joins what they give.
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/layers/residual.hpp"
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"
#include "nn/layers/bidirectional.hpp"

namespace timbre::cuda {

/// One value of the two layers' outputs [rows, steps, units], each in its order of processing, and where y has them.
struct JoinPlace {
  Divisor units, steps;
  nn::Merge merge;
  struct At {
    std::int64_t forward, backward, y;  // y: of the first; concat has the other `units` further on
  };
  template <class Index>
  TIMBRE_HD At at(Index i) const {
    const auto [cell, unit] = units(i);
    const auto [row, t] = steps(cell);
    const auto j = static_cast<std::int64_t>(unit);
    const std::int64_t turned =
        static_cast<std::int64_t>(row) * steps.divisor() + static_cast<std::int64_t>(steps.divisor() - 1 - t);
    const std::int64_t width =
        static_cast<std::int64_t>(units.divisor()) * (merge == nn::Merge::concat ? 2 : 1);
    return {static_cast<std::int64_t>(i), turned * units.divisor() + j,
            static_cast<std::int64_t>(cell) * width + j};
  }
};

struct Join {
  JoinPlace place;
  const std::uint8_t* mask;  // [rows, steps] of a sequence with one: where 0, so is y
  const float *forward, *backward;
  float* y;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto at = place.at(i);
    const bool counts = !mask || mask[place.units(i).quotient];
    const float f = counts ? forward[at.forward] : 0.0f, b = counts ? backward[at.backward] : 0.0f;
    if (place.merge == nn::Merge::concat)
      y[at.y] = f, y[at.y + place.units.divisor()] = b;
    else
      y[at.y] = place.merge == nn::Merge::mul   ? f * b
                : place.merge == nn::Merge::sum ? f + b
                                                : 0.5f * (f + b);
  }
};

struct Part {
  JoinPlace place;
  const std::uint8_t* mask;
  const float *forward, *backward, *dy;
  float *d_forward, *d_backward;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto at = place.at(i);
    const float d = dy[at.y];
    float df = d, db = d;
    if (place.merge == nn::Merge::concat) db = dy[at.y + place.units.divisor()];
    if (place.merge == nn::Merge::mul) df = d * backward[at.backward], db = d * forward[at.forward];
    if (place.merge == nn::Merge::ave) df = db = 0.5f * d;
    const bool counts = !mask || mask[place.units(i).quotient];
    d_forward[at.forward] = counts ? df : 0.0f, d_backward[at.backward] = counts ? db : 0.0f;
  }
};

// ---- The host's half

class BidirectionalDevice final : public CudaLayer {
 public:
  BidirectionalDevice(const nn::BidirectionalOptions& options, const CudaBinding& binding)
      : binding_(binding), merge_(nn::merge_of(options.merge_mode)) {
    const bool sequences = options.layer.return_sequences();
    steps_ = sequences ? binding.input[0] : 1;
    units_ = binding.output.back() / (merge_ == nn::Merge::concat ? 2 : 1);
    const auto size = std::size_t(binding.capacity * steps_ * units_);
    const auto half = std::ptrdiff_t(binding.parameters.size() / 2);
    for (const int i : {0, 1}) {
      auto b = binding;
      b.output = sequences ? Shape{steps_, units_} : Shape{units_};
      b.parameters.assign(binding.parameters.begin() + i * half, binding.parameters.begin() + (i + 1) * half);
      if (!binding.gradients.empty())
        b.gradients.assign(binding.gradients.begin() + i * half, binding.gradients.begin() + (i + 1) * half);
      b.logits = false;
      const auto choice = i == 0 ? options.layer : options.layer.turned_round();
      layers_[i] = choice.lstm ? make_cuda_layer(OptionsRef(*choice.lstm), b)
                               : make_cuda_layer(OptionsRef(*choice.gru), b);
      y_[i] = DeviceArray<float>(size);
      if (binding.trained) dy_[i] = DeviceArray<float>(size);
    }
    if (binding.trained && binding.input_gradient)
      dx_ = DeviceArray<float>(std::size_t(binding.capacity * binding.input.size()));
  }

  void forward(bool training, const float* x, float* y) override {
    for (const int i : {0, 1}) layers_[i]->forward(training, x, y_[i].data());
    for_each_element(binding_.tools->stream, std::int64_t(y_[0].size()),
                     Join{place(), mask(), y_[0].data(), y_[1].data(), y});
  }

  void backward(const float* x, const float*, float* dy, float* dx) override {
    const auto stream = binding_.tools->stream;
    for_each_element(stream, std::int64_t(y_[0].size()),
                     Part{place(), mask(), y_[0].data(), y_[1].data(), dy, dy_[0].data(), dy_[1].data()});
    layers_[0]->backward(x, y_[0].data(), dy_[0].data(), dx);
    layers_[1]->backward(x, y_[1].data(), dy_[1].data(), dx_.data());
    if (binding_.input_gradient) add_arrays(stream, dx, dx_.data(), dx, std::int64_t(dx_.size()));
  }

  std::string note() const override {
    const auto first = layers_[0]->note(), second = layers_[1]->note();
    return first == second || second.empty() ? first : first + "; " + second;
  }

 private:
  const std::uint8_t* mask() const { return steps_ > 1 ? binding_.mask : nullptr; }
  JoinPlace place() const { return {Divisor(units_), Divisor(steps_), merge_}; }

  CudaBinding binding_;
  nn::Merge merge_;
  std::int64_t steps_ = 1, units_ = 1;
  std::unique_ptr<CudaLayer> layers_[2];
  DeviceArray<float> y_[2], dy_[2], dx_;  // [capacity, steps, units], in the order of processing
};

inline const CudaLayers::Add<BidirectionalDevice, nn::BidirectionalOptions> bidirectional;

}  // namespace timbre::cuda
