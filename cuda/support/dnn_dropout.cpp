#include "cuda/support/dnn_dropout.hpp"

#include <limits>

#include "core/error.hpp"

namespace timbre::cuda {

DnnGenerator::DnnGenerator(cudnnHandle_t handle, cudaStream_t stream, double rate, std::uint64_t seed)
    : handle_(handle), stream_(stream), rate_(float(rate)), seed_(seed) {
  if (rate > 0) {
    TIMBRE_DNN_CHECK(cudnnDropoutGetStatesSize(handle, &bytes_));
    states_ = DeviceArray<std::int32_t>((bytes_ + sizeof(std::int32_t) - 1) / sizeof(std::int32_t));
  }
  restart();
}
void DnnGenerator::restart() {
  TIMBRE_DNN_CHECK(cudnnSetDropoutDescriptor(descriptor_, handle_, rate_, states_.data(), bytes_, seed_));
  TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream_));  // so that states never go before they are set up
}

std::uint64_t generator_seed(std::uint64_t seed, int layer) {
  return seed + 0x9e3779b97f4a7c15u * (std::uint64_t(layer) + 1);
}

FlatDescriptor::FlatDescriptor(std::int64_t count) {
  if (count > std::numeric_limits<int>::max()) fail("dropout of {} values is more than cuDNN counts", count);
  const int n = int(count), extents[] = {1, 1, 1, n}, strides[] = {n, n, n, 1};
  TIMBRE_DNN_CHECK(cudnnSetTensorNdDescriptor(*this, CUDNN_DATA_FLOAT, 4, extents, strides));
}

std::size_t dropout_reserve_bytes(cudnnTensorDescriptor_t x) {
  std::size_t bytes = 0;
  TIMBRE_DNN_CHECK(cudnnDropoutGetReserveSpaceSize(x, &bytes));
  return bytes;
}

}  // namespace timbre::cuda
