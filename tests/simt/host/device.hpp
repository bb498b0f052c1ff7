// The stand-in device behind toolkit/: what tests see and set of it.
//
// Work on streams is not done when it is enqueued, but as late as the rules of CUDA allow: when something
// synchronises with it, and then no more than is needed. A missing wait for an event, or a read of a result before
// its event, therefore meets old numbers (NaN at first). Device::eager does all work at once instead, which is
// the other order that CUDA allows.
// Device memory is filled with bytes 0xff; copies are checked against allocations. Every call can be made to fail.
// There may be two devices, with memory of their own; streams, events, memory and handles belong to the one that was the
// thread's when they were made, and may be used while it is the thread's alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "cuda_runtime_api.h"
#include "host/block.hpp"

namespace simt {

/// A number that several threads change: libraries' handles come and go beside the runtime's calls.
class SharedCount {
 public:
  SharedCount(std::int64_t n = 0) : n_(n) {}
  SharedCount(const SharedCount& other) : n_(other.n_.load()) {}
  SharedCount& operator=(const SharedCount& other) {
    n_ = other.n_.load();
    return *this;
  }
  operator std::int64_t() const { return n_; }
  void operator++() { ++n_; }
  void operator--() { --n_; }

 private:
  std::atomic<std::int64_t> n_;
};

struct Device {
  bool eager = false;
  int count = 1;                                         // devices that cudaGetDeviceCount finds
  int capability = 9;                                    // the major number
  cudaError_t driver = cudaSuccess;                      // what cudaGetDeviceCount returns
  std::size_t free_bytes = std::size_t{1} << 30;         // of memory, shared by allocations on the device
  std::size_t second_free_bytes = std::size_t{1} << 29;  // of the second device
  std::int64_t calls = 0;                                // of the runtime and of cuFFT so far
  std::int64_t fail_at = -1;                             // the number of the call that fails
  SharedCount live = 0;                                  // allocations, streams, events and plans that exist
  std::int64_t graph_launches = 0;
  std::int64_t broken_captures = 0;       // that a call of another thread ended, by waiting for the device
  std::function<void()> while_capturing;  // called once, in the middle of the next capture
  std::int64_t freed_in_use = 0;          // memory given back before a copy with it was done
  std::int64_t largest_bytes = 0;         // on one device at one time
  SharedCount on_wrong_device = 0;        // uses of what belongs to a device that was not the thread's
};
/// For the whole process; tests change it between uses. It begins with SIMT_DEVICES devices where that is set.
Device& device();
/// The device of this thread (cudaSetDevice).
int current_device();
/// Counts a use of what belongs to a device.
void use_of(int device);

/// Puts work into a stream (null: done at once).
void enqueue_work(cudaStream_t stream, std::function<void()> work);
/// Waits for all streams, which ends every capture that is under way, whoever's it is.
void synchronise_device();
/// Counts a call; true where it is to fail.
bool call_fails();
/// The dynamic shared memory that a kernel was allowed (cudaFuncSetAttribute).
std::size_t allowed_shared_bytes(const void* kernel);

template <class... Parameters, class... Arguments>
void enqueue(void (*kernel)(Parameters...), Dim3 grid, Dim3 block, std::size_t shared_bytes,
             cudaStream_t stream, Arguments... arguments) {
  const auto allowed = allowed_shared_bytes(reinterpret_cast<const void*>(kernel));
  enqueue_work(stream, [=] {
    run_grid(
        grid, block, shared_bytes, [&] { kernel(arguments...); }, allowed);
  });
}

}  // namespace simt
