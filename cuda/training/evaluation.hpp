// Forward passes over rows of the data that a feed is bound to: gather, forward, loss. Training begins with them; evaluation
// and prediction are nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "cuda/support/memory.hpp"
#include "cuda/training/cuda_parts.hpp"
#include "cuda/training/data_feed.hpp"
#include "cuda/training/graph.hpp"
#include "cuda/training/network.hpp"
#include "training/step.hpp"

namespace timbre::cuda {

/// A network, and room for the loss of its logits.
struct ScoredNetwork : Network {
  ScoredNetwork(const NetworkParts& parts, std::int64_t capacity);
  DeviceArray<float> losses, probabilities;
  DeviceArray<std::int32_t> hits;
};

/// Enqueues the forward pass of the feed's batch. gradient, probabilities: of the loss, may be null. gathered, if given, enqueues
/// changes of the gathered rows.
void enqueue_forward(cudaStream_t stream, const DataFeed& feed, const CudaLoss& loss, ScoredNetwork& net,
                     bool training, float* gradient, float* probabilities,
                     const std::function<void()>& gathered = {});

/// The batch that the loss sees there.
LossBatch loss_batch(const DataFeed& feed, const ScoredNetwork& net, float* gradient, float* probabilities);

/// Evaluates any number of rows, as many at once as the network takes, in one graph.
class Evaluation {
 public:
  training::TrainingStep::Scores run(cudaStream_t stream, DataFeed& feed, const CudaLoss& loss,
                                     ScoredNetwork& net, std::int64_t classes,
                                     std::span<const std::int32_t> rows);
  /// Of its graph.
  std::vector<std::string> notes() { return work_.notes(); }

 private:
  ReplayedWork work_{"evaluation"};
  PinnedArray<float> losses_, probabilities_;
  PinnedArray<std::int32_t> hits_;
};

}  // namespace timbre::cuda
