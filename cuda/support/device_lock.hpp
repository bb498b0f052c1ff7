// One lock for calls that make the whole device wait, and for captures, which such a call would end.
//
// Making or ending a handle of cuBLAS or cuDNN, or a plan of cuFFT, may synchronise the device. That ends the capture of a
// graph in another thread (error 900, also in thread-local mode). So a capture holds this lock, and so does every such call.
#pragma once

#include <mutex>

namespace timbre::cuda {

/// Of the process: a step that captures makes no handle.
inline std::mutex& device_lock() {
  static std::mutex m;
  return m;
}

}  // namespace timbre::cuda
