// mixup on the device (training/mixup.hpp). The host draws; the batch carries what was drawn (BatchHeader).
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>

#include "cuda/support/memory.hpp"
#include "cuda/training/cuda_parts.hpp"
#include "training/mixup.hpp"

namespace timbre::cuda {

/// Enqueues it: losses, hits and gradient of `own` become those of the mixture with `other`, the same logits with the labels of
/// the partners. shares [capacity]: of the own labels.
void mix_losses(cudaStream_t stream, const LossBatch& own, const LossBatch& other, const float* shares);

class MixupDevice {
 public:
  MixupDevice(const training::MixupOptions& options, std::uint64_t seed, std::int64_t capacity,
              std::int64_t classes);
  training::Mixture draw(std::int64_t step, std::size_t rows) const {
    return training::draw_mixture(options_, seed_, step, std::int64_t(rows));
  }
  /// Enqueues it: what `evaluate` gave `own` is mixed with what it gives for the labels of the partners.
  void mix(cudaStream_t stream, const LossBatch& own, const BatchRows& rows,
           const std::function<void(const LossBatch&)>& evaluate) const;

 private:
  training::MixupOptions options_;
  std::uint64_t seed_;
  DeviceArray<float> losses_, gradient_;  // of the partners' labels
  DeviceArray<std::int32_t> hits_;
};

}  // namespace timbre::cuda
