// A model's layers at work on the GPU for batches of one size, with the memory for what they compute. The
// parameters are not its own, so several networks of different size can share them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda/layers/cuda_layer.hpp"
#include "cuda/support/memory.hpp"
#include "nn/backward_plan.hpp"
#include "nn/model.hpp"

namespace timbre::cuda {

/// Shared by the networks of one step; pointers are to device memory.
struct NetworkParts {
  const nn::Model* model;
  float* arena;      // [arena_size]
  float* gradients;  // [trainable_size]; null: never trained
  std::uint64_t seed;
  const std::int64_t* step;  // training steps done
  const std::int32_t* live;  // rows of the batch that count
  CudaTools* tools;
};

class Network {
 public:
  /// Throws Error where the device has no memory left, or does not know a layer.
  Network(const NetworkParts& parts, std::int64_t capacity);

  std::int64_t capacity() const { return capacity_; }
  /// Floats per row of the input.
  std::int64_t width() const { return width_; }
  /// Where the batch goes, [capacity, input...].
  float* input() const { return values_.front(); }
  /// [capacity, classes]
  const float* logits() const { return values_.back(); }
  /// [capacity, output...] of layer i, as the last forward() left it; null within layers that are computed as one.
  const float* output(std::size_t i) const { return values_[i + 1]; }
  /// Of layers that draw random numbers in an order of their own: where their states are.
  std::vector<const DeviceArray<std::int32_t>*> generators() const;
  /// The layers' choices, and the reasons.
  std::vector<std::string> notes() const;

  void forward(bool training);
  /// All gradients, given that of the logits in dy. dy and spare: [capacity * widest()], both overwritten.
  void backward(float* dy, float* spare);
  /// Floats per row of the largest gradient on the way back.
  std::int64_t widest() const { return widest_; }

 private:
  /// Computes `count` layers of the model from `first` on; mostly one.
  struct Placed {
    std::unique_ptr<CudaLayer> layer;
    std::size_t first, count;
    std::size_t from;  // the array that it takes
  };
  CudaBinding binding(const NetworkParts& parts, std::size_t i, bool input_gradient);

  cudaStream_t stream_;
  std::int64_t capacity_, width_, widest_ = 0;
  std::vector<Placed> layers_;
  std::vector<DeviceArray<float>>
      arrays_;                  // of values_, and gradients of frozen layers, which compute them on the way
  std::vector<float*> values_;  // the input, and the output of each layer; null within layers computed as one
  std::vector<std::int64_t> sizes_;               // of a row of each
  std::vector<DeviceArray<std::uint8_t>> masks_;  // by the layers that make them
  nn::BackwardPlan plan_;
  std::vector<DeviceArray<float>>
      branches_;  // gradients, [capacity, widest]: what blocks need beside dy and spare
};

}  // namespace timbre::cuda
