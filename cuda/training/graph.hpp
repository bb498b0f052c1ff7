// A piece of work that is enqueued again and again: eagerly the first time, then captured into one CUDA graph
// and replayed. Capturing needs that one eager pass, in which libraries set themselves up. A capture that fails, since
// something made the device wait meanwhile, is tried again at the next time, three times in all.
//
// The environment variable TIMBRE_CUDA_GRAPHS=off keeps all work eager, for finding faults and for tests.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error_types.hpp"
#include "cuda/support/device_lock.hpp"
#include "cuda/support/handles.hpp"

namespace timbre::cuda {

struct GraphTraits {
  using value_type = cudaGraph_t;
  static constexpr value_type null = nullptr;
  static void destroy(value_type g) noexcept { complain(cudaGraphDestroy(g), "cudaGraphDestroy"); }
};
struct GraphExecTraits {
  using value_type = cudaGraphExec_t;
  static constexpr value_type null = nullptr;
  static void destroy(value_type g) noexcept { complain(cudaGraphExecDestroy(g), "cudaGraphExecDestroy"); }
};

class ReplayedWork {
 public:
  explicit ReplayedWork(const char* what) : what_(what) {}

  /// `enqueue` puts always the same work on the stream. Where it cannot be captured it stays eager.
  template <class Enqueue>
  void run(cudaStream_t stream, Enqueue&& enqueue) {
    if (runs_++ == 0 || !wanted_ || (!exec_.get() && failures_ == most_failures)) return enqueue();
    if (!exec_.get()) capture(stream, enqueue);
    if (exec_.get())
      TIMBRE_CUDA_CHECK(cudaGraphLaunch(exec_, stream));
    else
      enqueue();
  }
  /// Once each: that it is a graph now, and of how many nodes; or why it is none, or was not at first.
  std::vector<std::string> notes() { return std::exchange(notes_, {}); }

 private:
  template <class Enqueue>
  void capture(cudaStream_t stream, Enqueue&& enqueue) {
    cudaGraph_t graph = nullptr;
    const std::lock_guard guard(device_lock());
    try {
      TIMBRE_CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
      try {
        enqueue();
      } catch (...) {
        cudaStreamEndCapture(stream, &graph);
        const Handle<GraphTraits> dropped(graph);
        throw;
      }
      const auto status = cudaStreamEndCapture(stream, &graph);
      const Handle<GraphTraits> owned(graph);
      TIMBRE_CUDA_CHECK(status);
      cudaGraphExec_t exec = nullptr;
      TIMBRE_CUDA_CHECK(cudaGraphInstantiate(&exec, graph, 0));
      exec_ = Handle<GraphExecTraits>(exec);
      std::size_t nodes = 0;
      TIMBRE_CUDA_CHECK(cudaGraphGetNodes(graph, nullptr, &nodes));
      notes_.push_back(what_ + " is one graph of " + std::to_string(nodes) + " nodes");
    } catch (const Error& e) {
      cudaGetLastError();  // else the next call would report it again
      exec_ = {};
      const bool last = ++failures_ == most_failures;
      notes_.push_back(what_ + (last ? " runs without a graph: " : " is not captured yet: ") + e.what());
    }
  }

  static bool graphs_wanted() {
    const char* set = std::getenv("TIMBRE_CUDA_GRAPHS");
    return !set || std::string_view(set) != "off";
  }

  static constexpr int most_failures = 3;

  std::string what_;
  bool wanted_ = graphs_wanted();
  Handle<GraphExecTraits> exec_;
  int failures_ = 0;
  std::vector<std::string> notes_;
  std::int64_t runs_ = 0;
};

}  // namespace timbre::cuda
