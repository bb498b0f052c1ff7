// One lock around what makes the whole device wait, and around what must not meet that.
//
// Making or ending a handle of cuBLAS or cuDNN may synchronise the device, and that ends the capture of a graph that another
// thread has under way (error 900, also in thread-local mode). So both hold this lock: a capture, and every such call.
#pragma once

#include <mutex>

namespace timbre::cuda {

/// Of the process: a step that captures makes no handle.
inline std::mutex& device_lock() {
  static std::mutex m;
  return m;
}

}  // namespace timbre::cuda
