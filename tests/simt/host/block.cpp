#include "host/block.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "host/fiber.hpp"

namespace simt {
namespace {

constexpr unsigned warp = 32;
constexpr std::uint64_t guard = 0x5ead5ead5ead5eadull;

struct Thread {
  enum class State { ready, at_block_barrier, at_warp_barrier, ended } state = State::ended;
  std::source_location where;
  std::uint64_t value = 0;  // given to an exchange
  unsigned mask = 0;
};

/// Heap memory of exactly the size that a kernel asked for, with a guard word behind it.
struct SharedMemory {
  explicit SharedMemory(std::size_t bytes)
      : size(bytes), raw(static_cast<unsigned char*>(::operator new(allocated(), alignment))) {
    std::memset(raw, 0xff, bytes);
    if constexpr (guarded) std::memcpy(raw + bytes, &guard, sizeof guard);
  }
  ~SharedMemory() { ::operator delete(raw, alignment); }
  SharedMemory(const SharedMemory&) = delete;
  bool intact() const { return !guarded || std::memcmp(raw + size, &guard, sizeof guard) == 0; }

#if defined(__SANITIZE_ADDRESS__)
  static constexpr bool guarded = false;  // the sanitizer says where
#else
  static constexpr bool guarded = true;
#endif
  static constexpr std::align_val_t alignment{16};
  std::size_t allocated() const { return size + (guarded ? sizeof guard : 0); }
  std::size_t size;
  unsigned char* raw;
};

struct Variable {
  const void* key;
  std::unique_ptr<SharedMemory> memory;
};

struct Block {
  Dim3 grid, size, index;
  unsigned count = 0, current = 0;
  std::vector<Thread> threads;
  std::unique_ptr<SharedMemory> dynamic;
  std::vector<Variable> variables;
  const std::function<void()>* body = nullptr;
};

thread_local Block* block = nullptr;
thread_local FiberPool* fibers = nullptr;

std::string text(const std::source_location& where) {
  return Site{where.file_name(), where.line()}.file + ":" + std::to_string(where.line());
}

bool skipped(const std::source_location& where) {
  auto& s = settings();
  const Site site{where.file_name(), where.line()};
  s.barriers.insert(site);
  return s.skipped == site;
}

bool same(const std::source_location& a, const std::source_location& b) {
  return a.line() == b.line() && a.column() == b.column() && std::strcmp(a.file_name(), b.file_name()) == 0;
}

/// What the threads of [first, last) wait for, for a message.
std::string picture(const Block& b, unsigned first, unsigned last) {
  std::string out;
  for (unsigned i = first; i < last; ++i) {
    const auto& t = b.threads[i];
    const std::string now = t.state == Thread::State::ended   ? "has returned"
                            : t.state == Thread::State::ready ? "runs"
                                                              : "waits at " + text(t.where);
    if (i > first && out.ends_with(now)) continue;
    out += (out.empty() ? "thread " : "; thread ") + std::to_string(i) + " " + now;
  }
  return out;
}

[[noreturn]] void diverged(const Block& b, const char* what, unsigned first, unsigned last) {
  throw Fault(std::string(what) + " in block (" + std::to_string(b.index.x) + ", " +
              std::to_string(b.index.y) + ", " + std::to_string(b.index.z) + "): " + picture(b, first, last));
}

/// Frees the lanes of a warp [first, last) whose masks are complete.
bool release_warp(Block& b, unsigned first, unsigned last) {
  bool any = false;
  for (unsigned i = first; i < last; ++i) {
    const auto& leader = b.threads[i];
    if (leader.state != Thread::State::at_warp_barrier) continue;
    bool complete = true;
    for (unsigned k = 0; k < warp && complete; ++k) {
      if (!(leader.mask >> k & 1)) continue;
      if (first + k >= last) diverged(b, "a mask names lanes that the block does not have", first, last);
      const auto& other = b.threads[first + k];
      complete = other.state == Thread::State::at_warp_barrier;
      if (complete && (other.mask != leader.mask || !same(other.where, leader.where)))
        diverged(b, "lanes of a warp meet at different places", first, last);
    }
    if (!complete) continue;
    const unsigned mask = leader.mask;
    for (unsigned k = 0; k < warp; ++k)
      if (mask >> k & 1) b.threads[first + k].state = Thread::State::ready;
    any = true;
  }
  return any;
}

bool release_block(Block& b) {
  const auto waits = [](const Thread& t) { return t.state == Thread::State::at_block_barrier; };
  if (!std::all_of(b.threads.begin(), b.threads.end(), waits)) return false;
  for (const auto& t : b.threads)
    if (!same(t.where, b.threads.front().where))
      diverged(b, "threads meet at different barriers", 0, b.count);
  for (auto& t : b.threads) t.state = Thread::State::ready;
  return true;
}

/// Runs each ready lane of a warp to its next barrier; returns how many ended, or -1 where none was ready.
int run_lanes(Block& b, const std::vector<unsigned>& lanes) {
  int ended = -1;
  for (const unsigned i : lanes) {
    if (b.threads[i].state != Thread::State::ready) continue;
    ended = std::max(ended, 0);
    b.current = i;
    fibers->resume(i);
    if (fibers->ended(i)) b.threads[i].state = Thread::State::ended, ++ended;
  }
  return ended;
}

/// Warps go at different speeds: in order and in reverse, each as far as the block's next barrier before the
/// next one begins; shuffled, each for a random number of its own barriers.
void run_block(Block& b, std::mt19937_64& random) {
  const auto order = settings().order;
  std::vector<std::vector<unsigned>> warps;
  for (unsigned i = 0; i < b.count; ++i) {
    if (i % warp == 0) warps.emplace_back();
    warps.back().push_back(i);
  }
  if (order == Order::reversed) {
    for (auto& lanes : warps) std::reverse(lanes.begin(), lanes.end());
    std::reverse(warps.begin(), warps.end());
  }
  for (auto& t : b.threads) t.state = Thread::State::ready;
  fibers->prepare(
      b.count, [](void* body) { (*static_cast<const std::function<void()>*>(body))(); },
      const_cast<std::function<void()>*>(b.body));
  for (unsigned alive = b.count; alive > 0;) {
    bool moved = false;
    if (order == Order::shuffled) std::shuffle(warps.begin(), warps.end(), random);
    for (auto& lanes : warps) {
      const unsigned first = lanes.front() / warp * warp, last = std::min(first + warp, b.count);
      for (;;) {
        if (order == Order::shuffled) std::shuffle(lanes.begin(), lanes.end(), random);
        const int ended = run_lanes(b, lanes);
        const bool released = release_warp(b, first, last);
        if (ended < 0 && !released) break;
        alive -= static_cast<unsigned>(std::max(ended, 0));
        moved = true;
        if (order == Order::shuffled && random() % 4 == 0) break;
      }
    }
    moved |= release_block(b);
    if (!moved && alive > 0) diverged(b, "divergent barrier", 0, b.count);
  }
}

void wait(Thread::State state, unsigned mask, const std::source_location& where) {
  auto& t = block->threads[block->current];
  t.state = state, t.mask = mask, t.where = where;
  fibers->yield();
}

/// Waits for the other lanes of a mask that this lane must belong to.
void meet(unsigned mask, const std::source_location& where) {
  if (!(mask >> lane() & 1)) throw Fault("a lane outside its own mask at " + text(where));
  wait(Thread::State::at_warp_barrier, mask, where);
}

Thread& lane_of_warp(unsigned lane_number) {
  return block->threads[block->current / warp * warp + lane_number];
}

}  // namespace

const char* name_of(Order order) {
  return order == Order::forward ? "forward" : order == Order::reversed ? "reversed" : "shuffled";
}

Settings& settings() {
  static Settings s;
  return s;
}

void run_grid(Dim3 grid, Dim3 size, std::size_t shared_bytes, const std::function<void()>& body,
              std::size_t allowed_shared) {
  if (grid.count() == 0 || size.count() == 0) throw Fault("a grid or a block without threads");
  if (grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
    throw Fault("a grid larger than a GPU allows");
  if (size.count() > 1024 || size.z > 64) throw Fault("a block of more than 1024 threads");
  if (shared_bytes > allowed_shared)
    throw Fault("more than 48 kB of dynamic shared memory without asking for it");
  // Stacks are kept for the next launch of this thread.
  thread_local FiberPool pool;
  Block b;
  b.grid = grid, b.size = size, b.count = static_cast<unsigned>(size.count()), b.body = &body;
  b.threads.resize(b.count);
  const auto blocks = grid.count();
  std::vector<std::uint64_t> turns(blocks);
  std::iota(turns.begin(), turns.end(), std::uint64_t{0});
  std::mt19937_64 random(settings().seed);
  if (settings().order == Order::reversed) std::reverse(turns.begin(), turns.end());
  if (settings().order == Order::shuffled) std::shuffle(turns.begin(), turns.end(), random);
  struct Current {
    explicit Current(Block* b) { block = b, fibers = &pool; }
    ~Current() { block = nullptr, fibers = nullptr; }
  } current(&b);
  for (const auto i : turns) {
    b.index = {static_cast<unsigned>(i % grid.x), static_cast<unsigned>(i / grid.x % grid.y),
               static_cast<unsigned>(i / grid.x / grid.y)};
    b.dynamic = std::make_unique<SharedMemory>(shared_bytes);
    b.variables.clear();
    run_block(b, random);
    bool intact = b.dynamic->intact();
    for (const auto& v : b.variables) intact = intact && v.memory->intact();
    if (!intact) throw Fault("a kernel wrote behind its shared memory");
  }
}

Dim3 thread_index() {
  const unsigned i = block->current;
  return {i % block->size.x, i / block->size.x % block->size.y, i / (block->size.x * block->size.y)};
}
Dim3 block_index() { return block->index; }
Dim3 block_size() { return block->size; }
Dim3 grid_size() { return block->grid; }
unsigned lane() { return block->current % warp; }

void* dynamic_shared() { return block->dynamic->raw; }

void* static_shared(const void* key, std::size_t bytes, std::size_t alignment) {
  for (const auto& v : block->variables)
    if (v.key == key) return v.memory->raw;
  if (alignment > 16) throw Fault("shared variables are aligned to at most 16 bytes");
  std::size_t total = bytes;
  for (const auto& v : block->variables) total += v.memory->size;
  const auto dynamic = block->dynamic->size;
  if (total > plain_shared_bytes ||
      total + dynamic > (dynamic > plain_shared_bytes ? largest_shared_bytes : plain_shared_bytes))
    throw Fault("more shared memory than a block gets");
  block->variables.push_back({key, std::make_unique<SharedMemory>(bytes)});
  return block->variables.back().memory->raw;
}

void block_barrier(const std::source_location& where) {
  if (!skipped(where)) wait(Thread::State::at_block_barrier, 0, where);
}

void warp_barrier(unsigned mask, const std::source_location& where) {
  if (!skipped(where)) meet(mask, where);
}

std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned source,
                       const std::source_location& where) {
  block->threads[block->current].value = value;
  meet(mask, where);
  if (source >= warp || !(mask >> source & 1))
    throw Fault("a shuffle from a lane that takes no part, at " + text(where));
  const auto result = lane_of_warp(source).value;
  meet(mask, where);  // the others have read, too
  return result;
}

unsigned vote(unsigned mask, bool value, const std::source_location& where) {
  block->threads[block->current].value = value;
  meet(mask, where);
  unsigned bits = 0;
  for (unsigned k = 0; k < warp; ++k)
    if ((mask >> k & 1) && lane_of_warp(k).value) bits |= 1u << k;
  meet(mask, where);
  return bits;
}

}  // namespace simt
