// Fibers: functions with a stack of their own that hand control back and forth within one thread.
//
// A fiber stands for one GPU thread. Switching is twenty instructions on x86-64 (no system call, unlike
// swapcontext, which is used elsewhere). AddressSanitizer and ThreadSanitizer are told of every switch.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <vector>

namespace simt {

class FiberPool {
 public:
  FiberPool();
  ~FiberPool();
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;

  /// Prepares fibers 0 .. count - 1; what earlier ones had not ended is forgotten, without unwinding.
  void prepare(std::size_t count, void (*entry)(void*), void* argument);
  /// Runs a fiber until it yields or ends; rethrows what it threw.
  void resume(std::size_t fiber);
  /// From within a fiber: back to where it was resumed.
  void yield();
  bool ended(std::size_t fiber) const;

 private:
  struct Fiber;
  struct State;
  static void begin();
  static void run(State& state);
  std::unique_ptr<State> state_;
};

}  // namespace simt
