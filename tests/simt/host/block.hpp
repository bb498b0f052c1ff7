// Runs a grid of thread blocks on the CPU: every GPU thread is a fiber, blocks run one after another.
//
// What the host knows: __syncthreads, __syncwarp, shuffles and votes, atomics, static and dynamic shared
// memory. Blocks, warps and lanes go in order, in reverse or shuffled, each lane as far as its next barrier.
// Warps do not go in step: one runs as far as the block's next barrier before the next one begins (shuffled:
// as far as chance has it). Shared memory is filled with bytes 0xff (NaN as floats, -1 as integers) for every
// block, and lies in allocations of exactly its size, so that AddressSanitizer sees an overrun (a guard word
// shows one in other builds).
//
// What ends a launch with simt::Fault: threads of a block that wait at different barriers, or wait while
// others have returned; lanes of a warp that do so; a shuffle from a lane that takes no part; a grid, block
// or shared memory larger than a GPU's; an overrun of shared memory.
//
// What it does not see: races that no order of whole stretches between barriers shows (two lanes of a warp
// without __syncwarp that run in lockstep), alignment of vector loads, cluster and grid barriers, speed.
//
// A mutant is a kernel with one barrier less: Settings::skipped names a barrier by its place in the source,
// and it is passed without waiting. Settings::barriers collects the places, so a test can try them one by
// one.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <source_location>
#include <stdexcept>
#include <string>

namespace simt {

struct Dim3 {
  unsigned x, y, z;
  constexpr Dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  std::uint64_t count() const { return std::uint64_t{x} * y * z; }
};

struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A barrier's place in the source.
struct Site {
  std::string file;
  unsigned line;
  auto operator<=>(const Site&) const = default;
};

enum class Order { forward, reversed, shuffled };
const char* name_of(Order order);

/// How kernels are run, and what was seen. For the whole process; tests set it between launches.
struct Settings {
  Order order = Order::shuffled;
  std::uint64_t seed = 1;
  std::optional<Site> skipped;
  std::set<Site> barriers;  // passed so far
};
Settings& settings();

/// What a block gets without asking, and the most that it gets of dynamic shared memory when the kernel was
/// allowed it (compute capability 8.6 and 8.9; others give more).
inline constexpr std::size_t plain_shared_bytes = 48 * 1024, largest_shared_bytes = 99 * 1024;

/// Runs body once per thread of every block. allowed_shared: of dynamic shared memory.
void run_grid(Dim3 grid, Dim3 block, std::size_t shared_bytes, const std::function<void()>& body,
              std::size_t allowed_shared = plain_shared_bytes);

// ---- called by kernels

Dim3 thread_index();
Dim3 block_index();
Dim3 block_size();
Dim3 grid_size();

void* dynamic_shared();
/// Memory of one __shared__ variable, known by the address of a key.
void* static_shared(const void* key, std::size_t bytes, std::size_t alignment);

void block_barrier(const std::source_location& where);
void warp_barrier(unsigned mask, const std::source_location& where);
/// Every lane of the mask gives eight bytes; the result is what lane `source` gave (0 .. 31).
std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned source,
                       const std::source_location& where);
/// One bit per lane of the mask: whether its value was not zero.
unsigned vote(unsigned mask, bool value, const std::source_location& where);
unsigned lane();

}  // namespace simt
