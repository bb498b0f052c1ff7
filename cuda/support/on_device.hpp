// What belongs to one of several GPUs.
//
// CUDA's calls go to the device that the calling thread has chosen, and a thread may serve one device after another. So the
// parts that a back end hands out are held by this: each call from outside, and the end, first choose the device. Nothing
// within a part knows its number.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>

#include "cuda/support/check.hpp"

namespace timbre::cuda {

/// Makes `number` the device of this thread. Throws Error.
inline void use_device(int number) { TIMBRE_CUDA_CHECK(cudaSetDevice(number)); }

/// Owns a part of one device. Several threads may use it where they may use the part.
template <class Part>
class OnDevice {
 public:
  /// make() -> std::unique_ptr<Part>
  template <class Make>
  OnDevice(int number, Make make) : number_(number) {
    use_device(number);
    part_ = make();
  }
  ~OnDevice() {
    complain(cudaSetDevice(number_), "cudaSetDevice");
    part_.reset();
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  /// For a call from outside.
  Part* operator->() const {
    use_device(number_);
    return part_.get();
  }
  /// For what touches no device.
  const Part& at_rest() const { return *part_; }

 private:
  int number_;
  std::unique_ptr<Part> part_;
};

}  // namespace timbre::cuda
