// Owning handles of streams and events; move-only. A view of one is the CUDA handle itself (cudaStream_t),
// passed explicitly to everything that enqueues work. Destructors say what failed, and never throw.
#pragma once

#include <cuda_runtime_api.h>

#include <utility>

#include "cuda/support/check.hpp"

namespace timbre::cuda {

/// Traits: value_type, null, destroy(value) noexcept.
template <class Traits>
class Handle {
 public:
  using value_type = typename Traits::value_type;
  Handle() = default;
  explicit Handle(value_type value) : value_(value) {}
  Handle(Handle&& other) noexcept : value_(std::exchange(other.value_, Traits::null)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Handle() {
    if (value_ != Traits::null) Traits::destroy(value_);
  }
  value_type get() const { return value_; }
  operator value_type() const { return value_; }

 private:
  value_type value_ = Traits::null;
};

struct StreamTraits {
  using value_type = cudaStream_t;
  static constexpr value_type null = nullptr;
  static void destroy(value_type s) noexcept { complain(cudaStreamDestroy(s), "cudaStreamDestroy"); }
};
using Stream = Handle<StreamTraits>;

struct EventTraits {
  using value_type = cudaEvent_t;
  static constexpr value_type null = nullptr;
  static void destroy(value_type e) noexcept { complain(cudaEventDestroy(e), "cudaEventDestroy"); }
};
using Event = Handle<EventTraits>;

/// A stream that does not wait for the default stream.
inline Stream make_stream() {
  cudaStream_t stream = nullptr;
  TIMBRE_CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return Stream(stream);
}

/// Waits for a stream when it goes. As the last member of a class: whatever else it owns is given back after
/// the work that uses it, also where a constructor throws. (cudaFree waits perhaps, and that is all it
/// promises.)
class WaitAtEnd {
 public:
  explicit WaitAtEnd(cudaStream_t stream) : stream_(stream) {}
  ~WaitAtEnd() { complain(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }
  WaitAtEnd(const WaitAtEnd&) = delete;

 private:
  cudaStream_t stream_;
};

/// An event for order alone, without time; a host thread that waits for it sleeps.
inline Event make_event() {
  cudaEvent_t event = nullptr;
  TIMBRE_CUDA_CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming | cudaEventBlockingSync));
  return Event(event);
}

}  // namespace timbre::cuda
