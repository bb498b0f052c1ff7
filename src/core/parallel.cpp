#include "core/parallel.hpp"

#include <sched.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace timbre {

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
  const auto n = std::thread::hardware_concurrency();
  return n > 0 ? static_cast<int>(n) : 1;
}

namespace {

/// Waits a little for something that comes soon, before the thread goes to sleep: to wake a sleeping thread takes tens
/// of microseconds, more than many a loop of a training step. It yields in between, so that a busy machine loses
/// nothing. Returns whether it came.
template <class F>
bool comes_soon(F&& there) {
  constexpr auto patience = std::chrono::microseconds(100);
  for (const auto start = std::chrono::steady_clock::now();;) {
    for (int i = 0; i < 64; ++i) {
      if (there()) return true;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    if (std::chrono::steady_clock::now() - start > patience) return false;
    std::this_thread::yield();
  }
}

}  // namespace

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable wake, done;
  std::atomic<std::uint64_t> generation{0};  // changed under the mutex; read before it is taken, too
  std::atomic<int> busy{0};
  bool stop = false;
  std::int64_t pieces = 0;
  const std::function<void(std::int64_t, int)>* body = nullptr;
  std::atomic<std::int64_t> next{0};
  std::exception_ptr error;
  std::int64_t error_piece = 0;
  std::vector<std::thread> workers;

  void work(int thread) {
    for (std::int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < pieces;) run(i, thread);
  }
  void run(std::int64_t i, int thread) {
    try {
      (*body)(i, thread);
    } catch (...) {
      std::lock_guard lock(mutex);
      if (!error || i < error_piece) error = std::current_exception(), error_piece = i;
    }
  }
  void loop(int thread) {
    std::uint64_t seen = 0;
    for (;;) {
      comes_soon([&] { return generation.load(std::memory_order_acquire) != seen; });
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stop || generation.load(std::memory_order_relaxed) != seen; });
        if (stop) return;
        seen = generation.load(std::memory_order_relaxed);
      }
      work(thread);
      if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        const std::lock_guard lock(
            mutex);  // the caller is either asleep, or sees the number before it sleeps
        done.notify_one();
      }
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads <= 0) threads = available_cores();
  auto* s = state_.get();
  // Signals are for other threads than those that compute.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (int t = 1; t < threads; ++t) s->workers.emplace_back([s, t] { s->loop(t); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  for (auto& w : state_->workers) w.join();
}

int ThreadPool::threads() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::parallel_for(std::int64_t pieces, const std::function<void(std::int64_t, int)>& body) {
  auto& s = *state_;
  if (pieces <= 0) return;
  s.pieces = pieces, s.body = &body, s.error = nullptr;
  s.next.store(0, std::memory_order_relaxed);
  if (s.workers.empty() || pieces == 1) {
    s.work(0);
  } else {
    s.busy.store(static_cast<int>(s.workers.size()), std::memory_order_relaxed);
    {
      const std::lock_guard lock(s.mutex);
      s.generation.fetch_add(1, std::memory_order_release);
    }
    s.wake.notify_all();
    s.work(0);
    const auto ended = [&] { return s.busy.load(std::memory_order_acquire) == 0; };
    if (!comes_soon(ended)) {
      std::unique_lock lock(s.mutex);
      s.done.wait(lock, ended);
    }
  }
  if (s.error) std::rethrow_exception(std::exchange(s.error, nullptr));
}

}  // namespace timbre
