// Entry of the plug-in: adds the CUDA back end to the registry of devices.
#include <cuda_runtime_api.h>

#include "core/error.hpp"
#include "device/device.hpp"

namespace timbre::cuda {
namespace {

// One line why no GPU can be used, or "". Error codes 34 (a stub driver), 35 (no or an old driver) and 100 (no
// device) leave the count unwritten.
std::string why_no_gpu() {
  int count = 0;
  const auto status = cudaGetDeviceCount(&count);
  if (status == cudaErrorStubLibrary || status == cudaErrorInsufficientDriver)
    return "there is no NVIDIA driver, or one older than CUDA " + std::to_string(CUDART_VERSION / 1000);
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) return "there is no NVIDIA GPU";
  if (status != cudaSuccess) return fmt::format("the CUDA runtime says: {}", cudaGetErrorString(status));
  return "this version computes features and networks on the CPU only";
}

}  // namespace
}  // namespace timbre::cuda

extern "C" void timbre_register_plugin() {
  timbre::Registry<timbre::device::Backend>::instance().add("cuda", {"NVIDIA GPU", timbre::cuda::why_no_gpu});
}
