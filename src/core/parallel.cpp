#include "core/parallel.hpp"

#include <sched.h>
#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace timbre {

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
  const auto n = std::thread::hardware_concurrency();
  return n > 0 ? static_cast<int>(n) : 1;
}

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable wake, done;
  std::uint64_t generation = 0;
  bool stop = false;
  int busy = 0;
  std::int64_t pieces = 0;
  const std::function<void(std::int64_t, int)>* body = nullptr;
  std::atomic<std::int64_t> next{0};
  std::exception_ptr error;
  std::int64_t error_piece = 0;
  std::vector<std::thread> workers;

  void work(int thread) {
    for (std::int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < pieces;) {
      try {
        (*body)(i, thread);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!error || i < error_piece) error = std::current_exception(), error_piece = i;
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
  for (int t = 1; t < threads; ++t)
    s->workers.emplace_back([s, t] {
      std::uint64_t seen = 0;
      std::unique_lock lock(s->mutex);
      for (;;) {
        s->wake.wait(lock, [&] { return s->stop || s->generation != seen; });
        if (s->stop) return;
        seen = s->generation;
        lock.unlock();
        s->work(t);
        lock.lock();
        if (--s->busy == 0) s->done.notify_one();
      }
    });
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
  if (s.workers.empty() || pieces == 1) {
    for (std::int64_t i = 0; i < pieces; ++i) body(i, 0);
    return;
  }
  {
    std::lock_guard lock(s.mutex);
    s.pieces = pieces, s.body = &body, s.error = nullptr;
    s.next.store(0, std::memory_order_relaxed);
    s.busy = static_cast<int>(s.workers.size());
    ++s.generation;
  }
  s.wake.notify_all();
  s.work(0);
  std::unique_lock lock(s.mutex);
  s.done.wait(lock, [&] { return s.busy == 0; });
  if (s.error) std::rethrow_exception(s.error);
}

}  // namespace timbre
