#include "host/device.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace simt {
namespace {

/// One record of an event: done when the stream has come to it.
struct Ticket {
  CUstream_st* stream;
  bool done = false;
};

struct Work {
  std::function<void()> run;
  std::shared_ptr<Ticket> wait_for;  // first
  const void* memory[2] = {};        // what a copy reads and writes
};

/// Every call holds it: the stand-in is one device for many threads.
std::recursive_mutex& lock() {
  static std::recursive_mutex m;
  return m;
}

struct Allocation {
  std::size_t bytes;
  int device;
};
using Allocations = std::map<char*, Allocation>;

Allocations& allocations() {
  static Allocations a;
  return a;
}

std::set<CUstream_st*>& streams() {
  static std::set<CUstream_st*> s;
  return s;
}

Allocations& pinned_allocations() {
  static Allocations a;
  return a;
}

/// The allocation that holds these bytes; null where there is none.
const Allocation* holder_of(const Allocations& known, const void* pointer, std::size_t bytes) {
  auto* p = const_cast<char*>(static_cast<const char*>(pointer));
  auto it = known.upper_bound(p);
  if (it == known.begin()) return nullptr;
  --it;
  return p + bytes <= it->first + it->second.bytes ? &it->second : nullptr;
}
bool on_device(const void* pointer, std::size_t bytes) {
  const auto* held = holder_of(allocations(), pointer, bytes);
  if (held) use_of(held->device);
  return held != nullptr;
}

/// On this thread's device.
std::int64_t allocated() {
  std::int64_t sum = 0;
  for (const auto& [p, held] : allocations())
    if (held.device == current_device()) sum += static_cast<std::int64_t>(held.bytes);
  return sum;
}
std::size_t memory_of_device() {
  return current_device() == 0 ? device().free_bytes : device().second_free_bytes;
}

}  // namespace
}  // namespace simt

struct CUgraph_st {
  std::vector<simt::Work> work;
  std::thread::id owner = std::this_thread::get_id();  // who captures it
};
struct CUgraphExec_st {
  std::vector<simt::Work> work;
};
struct CUstream_st {
  int device = simt::current_device();
  std::deque<simt::Work> queue;
  CUgraph_st* capture = nullptr;  // not null: work goes there instead
};
struct CUevent_st {
  int device = simt::current_device();
  std::shared_ptr<simt::Ticket> ticket;
};

namespace simt {
namespace {

void step(CUstream_st& stream);

void run_until(const std::shared_ptr<Ticket>& ticket) {
  while (ticket && !ticket->done) step(*ticket->stream);
}

void step(CUstream_st& stream) {
  const Work work = std::move(stream.queue.front());
  stream.queue.pop_front();
  run_until(work.wait_for);
  if (work.run) work.run();
}

void run_all(CUstream_st& stream) {
  while (!stream.queue.empty()) step(stream);
}

/// Before memory is given back. CUDA waits here perhaps ("may perform implicit synchronization"), so nothing is
/// waited for; a copy with this memory that is still under way is counted as a mistake, and done.
void before_freeing(const Allocations& known, void* pointer) {
  const auto found = known.find(static_cast<char*>(pointer));
  if (found == known.end()) return;
  const auto uses = [&](const Work& work) {
    return std::ranges::any_of(work.memory, [&](const void* m) {
      return m >= found->first && m < found->first + found->second.bytes;
    });
  };
  for (auto* stream : streams())
    while (std::ranges::any_of(stream->queue, uses)) ++device().freed_in_use, run_all(*stream);
}

CUgraph_st& invalid_capture() {
  static CUgraph_st graph;
  return graph;
}

void push(CUstream_st* stream, Work work) {
  if (!stream) {
    if (work.run) work.run();
    return;
  }
  use_of(stream->device);
  if (stream->capture) {
    stream->capture->work.push_back(std::move(work));
    if (auto hook = std::exchange(device().while_capturing, nullptr)) hook();
    return;
  }
  stream->queue.push_back(std::move(work));
  if (device().eager) run_all(*stream);
}

/// This thread's captures that are under way become invalid; whether there were any.
bool end_captures() {
  bool any = false;
  for (auto* stream : streams())
    if (stream->capture && stream->capture->owner == std::this_thread::get_id()) {
      if (stream->capture != &invalid_capture()) delete stream->capture;
      stream->capture = &invalid_capture(), any = true;
    }
  return any;
}

}  // namespace

Device& device() {
  static Device d = [] {
    Device first;
    if (const char* count = std::getenv("SIMT_DEVICES")) first.count = std::atoi(count);
    return first;
  }();
  return d;
}

namespace {
int& device_of_thread() {
  static thread_local int number = 0;
  return number;
}
}  // namespace
int current_device() { return device_of_thread(); }
void use_of(int number) {
  if (number != current_device()) ++device().on_wrong_device;
}

/// What cudaGetLastError will say.
cudaError_t& last_error() {
  static thread_local cudaError_t e = cudaSuccess;
  return e;
}

void synchronise_device() {
  const std::lock_guard guard(lock());
  for (auto* stream : streams()) {
    if (stream->device != current_device()) continue;
    if (stream->capture && stream->capture != &invalid_capture()) {
      delete stream->capture;
      stream->capture = &invalid_capture();
      ++device().broken_captures;
    }
    run_all(*stream);
  }
}

bool call_fails() { return device().calls++ == device().fail_at; }

namespace {
/// On each device.
std::map<std::pair<const void*, int>, std::size_t>& shared_bytes_of() {
  static std::map<std::pair<const void*, int>, std::size_t> m;
  return m;
}
}  // namespace
std::size_t allowed_shared_bytes(const void* kernel) {
  const std::lock_guard guard(lock());
  const auto found = shared_bytes_of().find({kernel, current_device()});
  return found == shared_bytes_of().end() ? plain_shared_bytes : found->second;
}

void enqueue_work(cudaStream_t stream, std::function<void()> work) {
  const std::lock_guard guard(lock());
  push(stream, {std::move(work), nullptr});
}

}  // namespace simt

using simt::lock;
#define SIMT_CALL                      \
  const std::lock_guard guard(lock()); \
  if (simt::call_fails()) return cudaErrorUnknown
// What a thread may not call while it captures a stream: it ends the capture.
#define SIMT_NO_CAPTURE \
  if (simt::end_captures()) return cudaErrorStreamCaptureUnsupported

const char* cudaGetErrorString(cudaError_t e) {
  switch (e) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorUnknown:
      return "unknown error";
    default:
      return "an error";
  }
}
cudaError_t cudaGetLastError() {
  SIMT_CALL;
  return std::exchange(simt::last_error(), cudaSuccess);
}
cudaError_t cudaGetDeviceCount(int* count) {
  if (simt::device().driver == cudaSuccess) *count = simt::device().count;
  return simt::device().driver;
}
cudaError_t cudaSetDevice(int number) {
  SIMT_CALL;
  if (number < 0 || number >= simt::device().count) return cudaErrorInvalidDevice;
  simt::device_of_thread() = number;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int number) {
  SIMT_CALL;
  if (number < 0 || number >= simt::device().count) return cudaErrorInvalidDevice;
  std::snprintf(p->name, sizeof p->name, "SIMT host");
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  SIMT_CALL;
  *value = attribute == cudaDevAttrComputeCapabilityMajor ? simt::device().capability : 0;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  SIMT_CALL;
  *total = simt::memory_of_device();
  *free = *total - static_cast<std::size_t>(simt::allocated());
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  SIMT_CALL;
  SIMT_NO_CAPTURE;
  if (bytes == 0) return cudaErrorInvalidValue;
  auto& d = simt::device();
  if (static_cast<std::size_t>(simt::allocated()) + bytes > simt::memory_of_device())
    return cudaErrorMemoryAllocation;
  auto* p = static_cast<char*>(::operator new (bytes, std::align_val_t{256}));
  std::memset(p, 0xff, bytes);
  simt::allocations().emplace(p, simt::Allocation{bytes, simt::current_device()});
  d.largest_bytes = std::max(d.largest_bytes, simt::allocated());
  ++d.live;
  *pointer = p;
  return cudaSuccess;
}
cudaError_t cudaFree(void* pointer) {
  const std::lock_guard guard(lock());
  if (!pointer) return cudaSuccess;
  simt::before_freeing(simt::allocations(), pointer);
  if (simt::allocations().erase(static_cast<char*>(pointer)) == 0) return cudaErrorInvalidValue;
  ::operator delete (pointer, std::align_val_t{256});
  --simt::device().live;
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned) {
  SIMT_CALL;
  SIMT_NO_CAPTURE;
  *pointer = ::operator new (bytes, std::align_val_t{64});
  simt::pinned_allocations().emplace(static_cast<char*>(*pointer), simt::Allocation{bytes, 0});
  std::memset(*pointer, 0xff, bytes);
  ++simt::device().live;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* pointer) {
  const std::lock_guard guard(lock());
  simt::before_freeing(simt::pinned_allocations(), pointer);
  simt::pinned_allocations().erase(static_cast<char*>(pointer));
  ::operator delete (pointer, std::align_val_t{64});
  --simt::device().live;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  SIMT_CALL;
  const bool to_device = kind != cudaMemcpyDeviceToHost, from_device = kind != cudaMemcpyHostToDevice;
  if (simt::on_device(to, bytes) != to_device || simt::on_device(from, bytes) != from_device)
    return cudaErrorInvalidValue;
  // Memory that is not pinned is staged: read before the call returns, or written before it does.
  const bool pinned =
      simt::holder_of(simt::pinned_allocations(), kind == cudaMemcpyHostToDevice ? from : to, bytes);
  if (kind == cudaMemcpyHostToDevice && !pinned) {
    const auto* bytes_of = static_cast<const char*>(from);
    simt::push(stream, {[to, staged = std::vector<char>(bytes_of, bytes_of + bytes)] {
                          std::memcpy(to, staged.data(), staged.size());
                        },
                        nullptr,
                        {to, nullptr}});
    return cudaSuccess;
  }
  simt::push(stream, {[=] { std::memcpy(to, from, bytes); }, nullptr, {to, from}});
  if (kind == cudaMemcpyDeviceToHost && !pinned && stream) simt::run_all(*stream);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  SIMT_CALL;
  if (!simt::on_device(to, bytes)) return cudaErrorInvalidValue;
  simt::push(stream, {[=] { std::memset(to, value, bytes); }, nullptr, {to, nullptr}});
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  SIMT_CALL;
  *stream = new CUstream_st;
  simt::streams().insert(*stream);
  ++simt::device().live;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard guard(lock());
  simt::run_all(*stream);  // CUDA, too, ends what was enqueued
  simt::streams().erase(stream);
  delete stream;
  --simt::device().live;
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute, int bytes) {
  SIMT_CALL;
  if (std::size_t(bytes) > simt::largest_shared_bytes) return cudaErrorInvalidValue;
  simt::shared_bytes_of()[{kernel, simt::current_device()}] = std::size_t(bytes);
  return cudaSuccess;
}
// (One that fails has waited all the same: the error is of the work before.)
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const std::lock_guard guard(lock());
  const bool fails = simt::call_fails();
  SIMT_NO_CAPTURE;
  if (stream) simt::run_all(*stream);
  return fails ? cudaErrorUnknown : cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  SIMT_CALL;
  simt::push(stream, {nullptr, event->ticket});
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  SIMT_CALL;
  *event = new CUevent_st;
  ++simt::device().live;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const std::lock_guard guard(lock());
  delete event;
  --simt::device().live;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  SIMT_CALL;
  const auto ticket = std::make_shared<simt::Ticket>(simt::Ticket{stream});
  event->ticket = ticket;
  simt::use_of(event->device);
  simt::push(stream, {[ticket] { ticket->done = true; }, nullptr});
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  SIMT_CALL;
  SIMT_NO_CAPTURE;
  simt::run_until(event->ticket);
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  SIMT_CALL;
  if (!event->ticket || event->ticket->done) return cudaSuccess;
  return simt::last_error() = cudaErrorNotReady;  // as CUDA does, though it is no error
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  SIMT_CALL;
  if (!stream || stream->capture) return cudaErrorInvalidValue;
  stream->capture = new CUgraph_st;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard guard(lock());
  auto* const capture = std::exchange(stream->capture, nullptr);
  *graph = nullptr;
  if (!capture) return cudaErrorInvalidValue;
  if (capture == &simt::invalid_capture()) return cudaErrorStreamCaptureInvalidated;
  *graph = capture;
  ++simt::device().live;
  return simt::call_fails() ? cudaErrorUnknown : cudaSuccess;
}
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  SIMT_CALL;
  if (nodes) return cudaErrorInvalidValue;
  *count = graph->work.size();
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  SIMT_CALL;
  *exec = new CUgraphExec_st{graph->work};
  ++simt::device().live;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  SIMT_CALL;
  simt::device().graph_launches += 1;
  for (const auto& work : exec->work) simt::push(stream, work);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const std::lock_guard guard(lock());
  delete graph;
  --simt::device().live;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const std::lock_guard guard(lock());
  delete exec;
  --simt::device().live;
  return cudaSuccess;
}
