// A piece of work that is enqueued again and again: eagerly the first time, then captured into one CUDA graph
// and replayed. Capturing needs that one eager pass, in which libraries set themselves up.
//
// The environment variable TIMBRE_CUDA_GRAPHS=off keeps all work eager, for finding faults and for tests.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include "core/error_types.hpp"
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
  /// `enqueue` puts always the same work on the stream. Where it cannot be captured it stays eager, and why()
  /// says so.
  template <class Enqueue>
  void run(cudaStream_t stream, Enqueue&& enqueue) {
    if (runs_++ == 0 || !wanted_ || (!exec_.get() && !why_.empty())) return enqueue();
    if (!exec_.get()) capture(stream, enqueue);
    if (exec_.get())
      TIMBRE_CUDA_CHECK(cudaGraphLaunch(exec_, stream));
    else
      enqueue();
  }
  const std::string& why() const { return why_; }
  bool captured() const { return exec_.get() != nullptr; }

 private:
  template <class Enqueue>
  void capture(cudaStream_t stream, Enqueue&& enqueue) {
    cudaGraph_t graph = nullptr;
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
    } catch (const Error& e) {
      cudaGetLastError();  // what went wrong is told here, and not by the next call
      why_ = e.what();
    }
  }

  static bool graphs_wanted() {
    const char* set = std::getenv("TIMBRE_CUDA_GRAPHS");
    return !set || std::string_view(set) != "off";
  }

  bool wanted_ = graphs_wanted();
  Handle<GraphExecTraits> exec_;
  std::string why_;
  std::int64_t runs_ = 0;
};

}  // namespace timbre::cuda
