#include "host/fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace simt {
namespace {

constexpr std::size_t stack_bytes =
    128 * 1024;  // sanitizers make frames large; pages come when they are touched

#if defined(__x86_64__)
using Context = void*;  // the stack pointer; the registers a function must keep lie on the stack
extern "C" void simt_switch_stack(void** save, void* load);
asm(R"(
.text
.type simt_switch_stack, @function
simt_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size simt_switch_stack, .-simt_switch_stack
)");
void switch_context(Context& from, Context& to) { simt_switch_stack(&from, to); }
void make_context(Context& context, char* stack, void (*entry)()) {
  auto** top = reinterpret_cast<void**>(stack + stack_bytes);
  *--top = nullptr;                              // the return address of entry, which never returns
  *--top = reinterpret_cast<void*>(entry);       // where the first switch returns to
  for (int i = 0; i < 6; ++i) *--top = nullptr;  // six registers
  context = top;
}
#else
using Context = ucontext_t;
void switch_context(Context& from, Context& to) { swapcontext(&from, &to); }
void make_context(Context& context, char* stack, void (*entry)()) {
  getcontext(&context);
  context.uc_stack.ss_sp = stack, context.uc_stack.ss_size = stack_bytes, context.uc_link = nullptr;
  makecontext(&context, entry, 0);
}
#endif

}  // namespace

struct FiberPool::Fiber {
  Context context{};
  char* mapping = nullptr;  // a page that may not be touched, then the stack
  char* stack = nullptr;
  bool ended = true;
  void* fake_stack = nullptr;  // AddressSanitizer's
#if defined(__SANITIZE_THREAD__)
  void* tsan = nullptr;
#endif
};

struct FiberPool::State {
  std::vector<Fiber> fibers;
  std::size_t current = 0;
  Context outside{};
  void (*entry)(void*) = nullptr;
  void* argument = nullptr;
  std::exception_ptr error;
  void* outside_fake_stack = nullptr;
  const void* outside_bottom = nullptr;
  std::size_t outside_size = 0;
#if defined(__SANITIZE_THREAD__)
  void* outside_tsan = nullptr;
#endif
};

namespace {
thread_local void* starting = nullptr;  // State of the pool whose fiber begins
}

FiberPool::FiberPool() : state_(std::make_unique<State>()) {}

FiberPool::~FiberPool() {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (auto& f : state_->fibers) {
#if defined(__SANITIZE_THREAD__)
    __tsan_destroy_fiber(f.tsan);
#endif
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(f.stack, stack_bytes);
#endif
    munmap(f.mapping, stack_bytes + page);
  }
}

void FiberPool::prepare(std::size_t count, void (*entry)(void*), void* argument) {
  auto& s = *state_;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  while (s.fibers.size() < count) {
    Fiber f;
    void* m = mmap(nullptr, stack_bytes + page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED || mprotect(m, page, PROT_NONE) != 0) throw std::bad_alloc();
    f.mapping = static_cast<char*>(m);
    f.stack = f.mapping + page;
#if defined(__SANITIZE_THREAD__)
    f.tsan = __tsan_create_fiber(0);
#endif
    s.fibers.push_back(f);
  }
  s.entry = entry, s.argument = argument;
  for (std::size_t i = 0; i < count; ++i) {
    auto& f = s.fibers[i];
#if defined(__SANITIZE_ADDRESS__)
    if (!f.ended)
      __asan_unpoison_memory_region(f.stack, stack_bytes);  // frames that were left, not returned from
#endif
    make_context(f.context, f.stack, &FiberPool::begin);
    f.ended = false, f.fake_stack = nullptr;
  }
}

void FiberPool::begin() { run(*static_cast<State*>(starting)); }

/// The whole life of a fiber.
void FiberPool::run(State& s) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &s.outside_bottom, &s.outside_size);
#endif
  try {
    s.entry(s.argument);
  } catch (...) {
    s.error = std::current_exception();
  }
  auto& f = s.fibers[s.current];
  f.ended = true;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(nullptr, s.outside_bottom, s.outside_size);
#endif
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(s.outside_tsan, 0);
#endif
  switch_context(f.context, s.outside);
}

void FiberPool::resume(std::size_t fiber) {
  auto& s = *state_;
  auto& f = s.fibers[fiber];
  s.current = fiber;
  starting = &s;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&s.outside_fake_stack, f.stack, stack_bytes);
#endif
#if defined(__SANITIZE_THREAD__)
  s.outside_tsan = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(f.tsan, 0);
#endif
  switch_context(s.outside, f.context);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(s.outside_fake_stack, nullptr, nullptr);
#endif
  if (s.error) std::rethrow_exception(std::exchange(s.error, nullptr));
}

void FiberPool::yield() {
  auto& s = *state_;
  auto& f = s.fibers[s.current];
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&f.fake_stack, s.outside_bottom, s.outside_size);
#endif
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(s.outside_tsan, 0);
#endif
  switch_context(f.context, s.outside);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(f.fake_stack, &s.outside_bottom, &s.outside_size);
#endif
}

bool FiberPool::ended(std::size_t fiber) const { return state_->fibers[fiber].ended; }

}  // namespace simt
