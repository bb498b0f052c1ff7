// A model's layers at work on the CPU, with the memory for what they compute. The parameters are not its own.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/aligned.hpp"
#include "core/parallel.hpp"
#include "nn/backward_plan.hpp"
#include "nn/layer_op.hpp"
#include "nn/model.hpp"

namespace timbre::nn {

class CpuLayers {
 public:
  struct Parts {
    const Model* model;
    float* arena;                  // [arena_size]
    float* gradients = nullptr;    // [trainable_size]; null: never trained
    GradientSink* sink = nullptr;  // see LayerBinding
    ThreadPool* pool;
  };
  /// For batches of at most `capacity` rows.
  CpuLayers(const Parts& parts, std::int64_t capacity);

  std::int64_t capacity() const { return capacity_; }
  /// Where the batch goes, [capacity, input...].
  float* input() { return values_.front().data(); }
  /// [capacity, classes]
  const float* logits() const { return values_.back().data(); }
  /// [capacity, output...] of layer i, as the last forward() left it.
  const float* output(std::size_t i) const { return values_[i + 1].data(); }

  void forward(const StepContext& context);
  /// All gradients, given that of the logits in dy. dy and spare: [capacity, widest()], both overwritten.
  void backward(const StepContext& context, float* dy, float* spare);
  /// Floats per row of the largest gradient on the way back.
  std::int64_t widest() const { return widest_; }

 private:
  struct Placed {
    std::unique_ptr<LayerOp> op;
    int from;
  };
  std::int64_t capacity_, widest_;
  ThreadPool& pool_;
  std::vector<Placed> layers_;
  std::vector<AlignedFloats> values_;             // the input, and the output of each layer
  std::vector<AlignedFloats> unused_;             // gradients of frozen layers, which compute them on the way
  std::vector<std::int64_t> sizes_;               // of a row of each
  std::vector<std::vector<std::uint8_t>> masks_;  // by the layers that make them
  BackwardPlan plan_;
  std::vector<AlignedFloats>
      branches_;  // gradients, [capacity, widest]: what blocks need beside dy and spare
};

}  // namespace timbre::nn
