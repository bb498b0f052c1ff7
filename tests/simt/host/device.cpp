#include "host/device.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>

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
};

/// Every call holds it: the stand-in is one device for many threads.
std::recursive_mutex& lock() {
  static std::recursive_mutex m;
  return m;
}

std::map<char*, std::size_t>& allocations() {
  static std::map<char*, std::size_t> a;
  return a;
}

std::set<CUstream_st*>& streams() {
  static std::set<CUstream_st*> s;
  return s;
}

bool on_device(const void* pointer, std::size_t bytes) {
  auto* p = const_cast<char*>(static_cast<const char*>(pointer));
  auto it = allocations().upper_bound(p);
  if (it == allocations().begin()) return false;
  --it;
  return p >= it->first && p + bytes <= it->first + it->second;
}

std::int64_t allocated() {
  std::int64_t sum = 0;
  for (const auto& [p, bytes] : allocations()) sum += static_cast<std::int64_t>(bytes);
  return sum;
}

}  // namespace
}  // namespace simt

struct CUstream_st {
  std::deque<simt::Work> queue;
};
struct CUevent_st {
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

/// Memory is given back when nothing can use it any more, as CUDA does.
void run_everything() {
  for (auto* stream : streams()) run_all(*stream);
}

void push(CUstream_st* stream, Work work) {
  if (!stream) {
    if (work.run) work.run();
    return;
  }
  stream->queue.push_back(std::move(work));
  if (device().eager) run_all(*stream);
}

}  // namespace

Device& device() {
  static Device d;
  return d;
}

bool call_fails() { return device().calls++ == device().fail_at; }

void enqueue_work(cudaStream_t stream, std::function<void()> work) {
  const std::lock_guard guard(lock());
  push(stream, {std::move(work), nullptr});
}

}  // namespace simt

using simt::lock;
#define SIMT_CALL                       \
  const std::lock_guard guard(lock());  \
  if (simt::call_fails()) return cudaErrorUnknown

const char* cudaGetErrorString(cudaError_t e) {
  switch (e) {
    case cudaSuccess: return "no error";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorUnknown: return "unknown error";
    default: return "an error";
  }
}
cudaError_t cudaGetLastError() { SIMT_CALL; return cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) {
  if (simt::device().driver == cudaSuccess) *count = simt::device().count;
  return simt::device().driver;
}
cudaError_t cudaSetDevice(int) { SIMT_CALL; return cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  SIMT_CALL;
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
  *total = simt::device().free_bytes;
  *free = *total - static_cast<std::size_t>(simt::allocated());
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  SIMT_CALL;
  if (bytes == 0) return cudaErrorInvalidValue;
  auto& d = simt::device();
  if (static_cast<std::size_t>(simt::allocated()) + bytes > d.free_bytes) return cudaErrorMemoryAllocation;
  auto* p = static_cast<char*>(::operator new(bytes, std::align_val_t{256}));
  std::memset(p, 0xff, bytes);
  simt::allocations().emplace(p, bytes);
  d.largest_bytes = std::max(d.largest_bytes, simt::allocated());
  ++d.live;
  *pointer = p;
  return cudaSuccess;
}
cudaError_t cudaFree(void* pointer) {
  const std::lock_guard guard(lock());
  if (!pointer) return cudaSuccess;
  simt::run_everything();
  if (simt::allocations().erase(static_cast<char*>(pointer)) == 0) return cudaErrorInvalidValue;
  ::operator delete(pointer, std::align_val_t{256});
  --simt::device().live;
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned) {
  SIMT_CALL;
  *pointer = ::operator new(bytes, std::align_val_t{64});
  std::memset(*pointer, 0xff, bytes);
  ++simt::device().live;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* pointer) {
  const std::lock_guard guard(lock());
  simt::run_everything();
  ::operator delete(pointer, std::align_val_t{64});
  --simt::device().live;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  SIMT_CALL;
  const bool up = kind == cudaMemcpyHostToDevice;
  if (!simt::on_device(up ? to : from, bytes) || simt::on_device(up ? from : to, bytes)) return cudaErrorInvalidValue;
  simt::push(stream, {[=] { std::memcpy(to, from, bytes); }, nullptr});
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  SIMT_CALL;
  if (!simt::on_device(to, bytes)) return cudaErrorInvalidValue;
  simt::push(stream, {[=] { std::memset(to, value, bytes); }, nullptr});
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
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  SIMT_CALL;
  if (stream) simt::run_all(*stream);
  return cudaSuccess;
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
  simt::push(stream, {[ticket] { ticket->done = true; }, nullptr});
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  SIMT_CALL;
  simt::run_until(event->ticket);
  return cudaSuccess;
}
