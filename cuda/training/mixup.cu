// The loss of mixed rows.
#include "cuda/support/divisor.cuh"
#include "cuda/support/elementwise.cuh"
#include "cuda/training/mixup.hpp"

namespace timbre::cuda {

namespace {

/// One value of the gradient; that of a row's first class takes the loss and the hit along: the hit of the label that has the
/// larger share.
struct MixLosses {
  LossBatch own, other;
  const float* shares;
  Divisor classes;
  template <class Index>
  __device__ void operator()(Index i) const {
    const auto [row, c] = classes(i);
    if (static_cast<std::int64_t>(row) >= own.header->live) return;
    const float share = shares[row];
    own.gradient[i] = training::mixed(own.gradient[i], other.gradient[i], share);
    if (c != 0) return;
    own.losses[row] = training::mixed(own.losses[row], other.losses[row], share);
    if (share < 0.5f) own.hits[row] = other.hits[row];
  }
};

}  // namespace

void mix_losses(cudaStream_t stream, const LossBatch& own, const LossBatch& other, const float* shares) {
  for_each_element(stream, own.capacity * own.classes, MixLosses{own, other, shares, Divisor(own.classes)});
}

// ---- The host's half

MixupDevice::MixupDevice(const training::MixupOptions& options, std::uint64_t seed, std::int64_t capacity,
                         std::int64_t classes)
    : options_(options),
      seed_(seed),
      losses_(std::size_t(capacity)),
      gradient_(std::size_t(capacity * classes)),
      hits_(std::size_t(capacity)) {}

void MixupDevice::mix(cudaStream_t stream, const LossBatch& own, const BatchRows& rows,
                      const std::function<void(const LossBatch&)>& evaluate) const {
  auto other = own;
  other.rows = rows.others;
  other.losses = losses_.data(), other.hits = hits_.data(), other.gradient = gradient_.data();
  evaluate(other);
  mix_losses(stream, own, other, rows.shares);
}

}  // namespace timbre::cuda
