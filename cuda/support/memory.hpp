// Owning arrays in device memory and in pinned host memory (which copies can reach while the host goes on).
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <span>

#include "cuda/support/check.hpp"

namespace timbre::cuda {

struct DeviceDelete {
  void operator()(void* p) const noexcept { complain(cudaFree(p), "cudaFree"); }
};
struct PinnedDelete {
  void operator()(void* p) const noexcept { complain(cudaFreeHost(p), "cudaFreeHost"); }
};

/// Uninitialised; empty arrays hold no memory. Throws Error where there is none left.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  explicit DeviceArray(std::size_t size) : size_(size) {
    void* data = nullptr;
    if (size > 0) TIMBRE_CUDA_CHECK(cudaMalloc(&data, size * sizeof(T)));
    data_.reset(static_cast<T*>(data));
  }
  T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  std::unique_ptr<T[], DeviceDelete> data_;
  std::size_t size_ = 0;
};

template <class T>
class PinnedArray {
 public:
  PinnedArray() = default;
  explicit PinnedArray(std::size_t size) : size_(size) {
    void* data = nullptr;
    if (size > 0) TIMBRE_CUDA_CHECK(cudaHostAlloc(&data, size * sizeof(T), cudaHostAllocDefault));
    data_.reset(static_cast<T*>(data));
  }
  T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  std::unique_ptr<T[], PinnedDelete> data_;
  std::size_t size_ = 0;
};

/// A copy on the device; returns when it is there.
template <class T>
DeviceArray<T> upload(std::span<const T> values, cudaStream_t stream) {
  DeviceArray<T> out(values.size());
  if (values.empty()) return out;
  TIMBRE_CUDA_CHECK(
      cudaMemcpyAsync(out.data(), values.data(), values.size_bytes(), cudaMemcpyHostToDevice, stream));
  TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream));
  return out;
}

/// A copy on the host; returns when it is there.
template <class T>
void download(const T* from, std::span<T> to, cudaStream_t stream) {
  if (!to.empty())
    TIMBRE_CUDA_CHECK(cudaMemcpyAsync(to.data(), from, to.size_bytes(), cudaMemcpyDeviceToHost, stream));
  TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream));
}

/// Enqueues a copy within the device; nothing where both are the same.
template <class T>
void copy_on_device(const T* from, T* to, std::size_t count, cudaStream_t stream) {
  if (from != to && count > 0)
    TIMBRE_CUDA_CHECK(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyDeviceToDevice, stream));
}

/// Enqueues filling with zero bytes.
template <class T>
void clear_on_device(const DeviceArray<T>& array, cudaStream_t stream) {
  if (array.size() > 0) TIMBRE_CUDA_CHECK(cudaMemsetAsync(array.data(), 0, array.size() * sizeof(T), stream));
}

}  // namespace timbre::cuda
