#include "cuda/training/evaluation.hpp"

#include <algorithm>

#include "cuda/training/gather.hpp"

namespace timbre::cuda {

ScoredNetwork::ScoredNetwork(const NetworkParts& parts, std::int64_t capacity)
    : Network(parts, capacity),
      losses(std::size_t(capacity)),
      probabilities(std::size_t(capacity * parts.model->classes())),
      hits(std::size_t(capacity)) {}

void enqueue_forward(cudaStream_t stream, const DataFeed& feed, const CudaLoss& loss, ScoredNetwork& net,
                     bool training, float* gradient, float* probabilities,
                     const std::function<void()>& gathered) {
  const auto capacity = net.capacity();
  const auto rows = training ? feed.rows() : BatchRows{feed.rows().rows};
  gather_rows(stream, feed.header(), rows, capacity, net.width(), net.input());
  if (gathered) gathered();
  net.forward(training);
  loss.evaluate(stream, loss_batch(feed, net, gradient, probabilities));
}

LossBatch loss_batch(const DataFeed& feed, const ScoredNetwork& net, float* gradient, float* probabilities) {
  const auto capacity = net.capacity();
  return {net.logits(),
          feed.header(),
          feed.rows().rows,
          capacity,
          std::int64_t(net.probabilities.size()) / capacity,
          net.losses.data(),
          net.hits.data(),
          gradient,
          probabilities};
}

training::TrainingStep::Scores Evaluation::run(cudaStream_t stream, DataFeed& feed, const CudaLoss& loss,
                                               ScoredNetwork& net, std::int64_t classes,
                                               std::span<const std::int32_t> rows) {
  const auto n = rows.size(), width = std::size_t(classes);
  if (losses_.size() < n) {
    losses_ = PinnedArray<float>(n), hits_ = PinnedArray<std::int32_t>(n);
    probabilities_ = PinnedArray<float>(n * width);
  }
  const auto at_once = std::size_t(net.capacity());
  const auto part_of = [&](std::size_t first) {
    first = std::min(first, n);
    return rows.subspan(first, std::min(n - first, at_once));
  };
  const auto fetch = [&](const auto* from, auto* to, std::size_t count) {
    TIMBRE_CUDA_CHECK(cudaMemcpyAsync(to, from, count * sizeof(*to), cudaMemcpyDeviceToHost, stream));
  };
  for (std::size_t first = 0; first < n; first += at_once) {
    const auto part = part_of(first);
    feed.next(part);
    work_.run(stream,
              [&] { enqueue_forward(stream, feed, loss, net, false, nullptr, net.probabilities.data()); });
    fetch(net.losses.data(), losses_.data() + first, part.size());
    fetch(net.hits.data(), hits_.data() + first, part.size());
    fetch(net.probabilities.data(), probabilities_.data() + first * width, part.size() * width);
    feed.prefetch(part_of(first + at_once));
  }
  TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream));
  training::TrainingStep::Scores scores;
  scores.probabilities.assign(probabilities_.data(), probabilities_.data() + n * width);
  for (std::size_t r = 0; r < n; ++r)
    scores.loss += double(losses_.data()[r]), scores.correct += hits_.data()[r];
  if (n > 0) scores.loss /= double(n);
  return scores;
}

}  // namespace timbre::cuda
