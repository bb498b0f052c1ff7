#include <algorithm>
#include <stdexcept>

#include "device/backend.hpp"
#include "nn/cpu_layers.hpp"
#include "nn/network.hpp"
#include "nn/softmax.hpp"

namespace timbre::nn {
namespace {

class CpuNetwork final : public Network {
 public:
  CpuNetwork(const NetworkOptions& options, ThreadPool& pool)
      : width_(options.model->input().size()),
        classes_(options.model->classes()),
        arena_(options.weights.begin(), options.weights.end()),
        layers_({.model = options.model, .arena = arena_.data(), .pool = &pool}, options.rows_at_once) {
    if (std::int64_t(arena_.size()) != options.model->arena_size())
      throw std::logic_error("weights of another model");
  }

  void predict(const float* x, std::int64_t rows, float* probabilities) override {
    for (std::int64_t first = 0; first < rows; first += layers_.capacity()) {
      const auto n = std::min(rows - first, layers_.capacity());
      std::copy_n(x + first * width_, n * width_, layers_.input());
      layers_.forward({.rows = n});
      for (std::int64_t r = 0; r < n; ++r)
        for_each_log_probability(layers_.logits() + r * classes_, classes_, [&](std::int64_t c, float log_p) {
          probabilities[(first + r) * classes_ + c] = std::exp(log_p);
        });
    }
  }

 private:
  std::int64_t width_, classes_;
  AlignedFloats arena_;
  CpuLayers layers_;
};

}  // namespace

std::unique_ptr<Network> make_network(const std::string& device, const NetworkOptions& options,
                                      ThreadPool& pool) {
  const auto [backend, number] = device::find(device);
  return backend->make_network(number, options, pool);
}

std::unique_ptr<Network> make_cpu_network(const NetworkOptions& options, ThreadPool& pool) {
  return std::make_unique<CpuNetwork>(options, pool);
}

}  // namespace timbre::nn
