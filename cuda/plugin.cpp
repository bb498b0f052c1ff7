// Entry of the plug-in: adds the CUDA back end to the registry of back ends.
#include "cuda/plugin.hpp"

#include <cuda_runtime_api.h>

#include <cstdlib>

#include "core/error.hpp"
#include "cuda/support/check.hpp"
#include "cuda/support/on_device.hpp"
#include "cuda/training/memory_needed.hpp"
#include "features/engine.hpp"
#include "nn/network.hpp"
#include "training/step.hpp"

namespace timbre::cuda {
namespace {

constexpr int oldest_capability = 8;  // what kernels are compiled for

int capability(cudaDeviceAttr attribute, int number) {
  int value = 0;
  TIMBRE_CUDA_CHECK(cudaDeviceGetAttribute(&value, attribute, number));
  return value;
}

// GPUs that the process may see (CUDA_VISIBLE_DEVICES); 0 where there is no driver.
int gpu_count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

// One line why this GPU cannot be used, or "". Error codes 34 (a stub driver), 35 (no or an old driver) and 100 (no
// device) leave the count unwritten.
std::string why_no_gpu(int number) {
  int count = 0;
  const auto status = cudaGetDeviceCount(&count);
  if (status == cudaErrorStubLibrary || status == cudaErrorInsufficientDriver)
    return "there is no NVIDIA driver, or one older than CUDA " + std::to_string(CUDART_VERSION / 1000);
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) return "there is no NVIDIA GPU";
  if (status != cudaSuccess) return fmt::format("the CUDA runtime says: {}", cudaGetErrorString(status));
  if (number >= count)
    return count == 1 ? "there is one NVIDIA GPU, cuda:0"
                      : fmt::format("there are {} NVIDIA GPUs, cuda:0 to cuda:{}", count, count - 1);
  try {
    const int major = capability(cudaDevAttrComputeCapabilityMajor, number),
              minor = capability(cudaDevAttrComputeCapabilityMinor, number);
    if (major < oldest_capability)
      return fmt::format("the {} has compute capability {}.{}, older than {}.0", device_name(number), major,
                         minor, oldest_capability);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

std::int64_t free_memory(int number) {
  use_device(number);
  std::size_t free = 0, total = 0;
  TIMBRE_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return std::int64_t(free);
}

std::string device_name(int number) {
  cudaDeviceProp properties{};
  TIMBRE_CUDA_CHECK(cudaGetDeviceProperties(&properties, number));
  return properties.name;
}

}  // namespace timbre::cuda

extern "C" void timbre_register_plugin() {
  using namespace timbre;
  // Runs side by side have a stream each, and by default streams share eight queues to the device. Read by CUDA when it
  // begins, which is later.
  setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 0);
  // cuDNN's RNNs give the same bytes each time with this work space of cuBLAS's alone (or with :16:8). Read when a handle is
  // made.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:2", 0);
  device::BackendRegistry::instance().add("cuda", {.why_not = cuda::why_no_gpu,
                                                   .count = cuda::gpu_count,
                                                   .describe = cuda::device_name,
                                                   .free_memory = cuda::free_memory,
                                                   .memory_needed = cuda::memory_needed,
                                                   .open_features = cuda::open_features,
                                                   .make_network = cuda::make_network,
                                                   .make_step = cuda::make_step,
                                                   .feature_note = cuda::what_the_cpu_extracts});
}
