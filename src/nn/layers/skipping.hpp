// Recurrent layers over sequences of which some steps are masked (nn/layers/masking.hpp), on every device.
//
// A layer that keeps its state through masked steps computes what it computes over the other steps alone. So they are moved
// together, the layer runs over them, and its outputs are moved apart again:
//
//   in the order of processing: s_0 < s_1 < ... the steps that count
//   y[p] = what the layer gives at its k-th step, s_k being the last of them up to p; 0 where there is none yet, as in Keras
//
// The layer still runs over T steps; those behind the last that counts hold zeros, and nothing comes of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/philox.hpp"
#include "core/shape.hpp"
#include "nn/layer_op.hpp"

namespace timbre::nn {

struct OnnxPlace;

/// The steps of one row. Both arrays are in the order of processing.
struct SkippedSteps {
  std::int64_t steps;
  bool backwards;  // whether the layer goes backwards

  /// Where in time the step p of the processing is. Its own inverse.
  TIMBRE_HD std::int64_t time(std::int64_t p) const { return backwards ? steps - 1 - p : p; }
  /// mask [T] -> step_of [T]: of the k-th step that counts, where it is, or T; count [T]: how many count up to p.
  TIMBRE_HD void find(const std::uint8_t* mask, std::int32_t* step_of, std::int32_t* count) const {
    std::int32_t k = 0;
    for (std::int64_t p = 0; p < steps; ++p) {
      if (mask[time(p)]) step_of[k++] = static_cast<std::int32_t>(p);
      count[p] = k;
    }
    for (std::int64_t rest = k; rest < steps; ++rest) step_of[rest] = static_cast<std::int32_t>(steps);
  }
};

/// Of the outputs at all steps, those that are the output of the layer's k-th step: [first, last).
struct StandsFor {
  std::int64_t first, last;
};
TIMBRE_HD inline StandsFor stands_for(const std::int32_t* step_of, std::int64_t steps, std::int64_t k) {
  return {step_of[k], step_of[k] == steps || k + 1 == steps ? steps : step_of[k + 1]};
}

/// The layer, which returns sequences, among masked steps; `sequences`: whether it was asked to.
std::unique_ptr<LayerOp> skip_masked_steps(std::unique_ptr<LayerOp> layer, const LayerBinding& binding,
                                           bool backwards, bool sequences);

/// What the layer itself is made with.
template <class Binding>
Binding without_mask(Binding binding) {
  binding.output = Shape{binding.input[0], binding.output.back()}, binding.mask = nullptr;
  return binding;
}

/// The same as operators of ONNX: `layer` adds those of the layer that returns sequences, without a mask.
std::string onnx_skip_masked_steps(OnnxPlace& place, bool backwards, bool sequences,
                                   const std::function<std::string(OnnxPlace&)>& layer);

/// A recurrent layer of type Layer, or the same among masked steps.
template <class Layer, class Options>
std::unique_ptr<LayerOp> with_mask(const Options& options, const LayerBinding& binding) {
  if (!binding.mask) return std::make_unique<Layer>(options, binding);
  auto every = options;
  every.return_sequences = true;
  return skip_masked_steps(std::make_unique<Layer>(every, without_mask(binding)), binding,
                           options.go_backwards, options.return_sequences);
}

}  // namespace timbre::nn
