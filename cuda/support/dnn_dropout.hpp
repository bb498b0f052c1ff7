// cuDNN's dropout: a generator whose states live on the device, and masks that are kept between forward and backward.
//
//   forward   y = x * mask, mask = 1 / (1 - rate) with probability 1 - rate, else 0       backward   dx = dy * mask
//
// Every forward draws new numbers and moves the states on, in a replayed graph too. States have a size and a meaning for one
// kind of device alone. The size of what is kept needs no device (tests/cuda/test_cudnn_descriptors.cpp); all else needs one.
// Source: NVIDIA's cuDNN API reference, cudnn_ops.
#pragma once

#include <cstdint>

#include "cuda/support/dnn.hpp"
#include "cuda/support/memory.hpp"

namespace timbre::cuda {

/// A descriptor of dropout and its states. A rate of 0 needs neither states nor seed.
class DnnGenerator {
 public:
  /// The handle's stream has set the states up when it returns.
  DnnGenerator(cudnnHandle_t handle, cudaStream_t stream, double rate, std::uint64_t seed);
  /// From the seed again, as after it was made.
  void restart();
  cudnnDropoutDescriptor_t descriptor() const { return descriptor_; }
  /// The states, for a checkpoint; empty for a rate of 0.
  const DeviceArray<std::int32_t>& states() const { return states_; }

 private:
  cudnnHandle_t handle_;
  cudaStream_t stream_;
  float rate_;
  std::uint64_t seed_;
  DeviceArray<std::int32_t> states_;
  std::size_t bytes_ = 0;
  DropoutDescriptor descriptor_;
};

/// The seed of a layer, from that of the run.
std::uint64_t generator_seed(std::uint64_t seed, int layer);

/// `count` values in one row. Throws Error where cuDNN's 32 bits do not hold the count.
struct FlatDescriptor : TensorDescriptor {
  explicit FlatDescriptor(std::int64_t count);
};
/// Bytes that are kept from forward to backward.
std::size_t dropout_reserve_bytes(cudnnTensorDescriptor_t x);

}  // namespace timbre::cuda
