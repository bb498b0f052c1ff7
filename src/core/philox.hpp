// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011). A number depends on (seed, stream, step, index) alone, never on the order in which numbers are
// drawn, so masks and shuffles are the same on every device and for any number of threads.
//
// The header is plain C++ that nvcc compiles for the device as well (TIMBRE_HD).
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define TIMBRE_HD __host__ __device__
#else
#define TIMBRE_HD
#endif
// For functions of one element, called in loops that are compiled per instruction set (core/simd.hpp): g++ leaves a
// call, and a loop of calls, where it is not told otherwise.
#define TIMBRE_ELEMENTWISE TIMBRE_HD __attribute__((always_inline))

namespace timbre {

struct PhiloxBlock {
  std::uint32_t v[4];
};

/// One block of four 32-bit words. seed: 64-bit key; stream, step: two counter words; index: the 64-bit rest.
TIMBRE_HD inline PhiloxBlock philox(std::uint64_t seed, std::uint32_t stream, std::uint32_t step,
                                    std::uint64_t index) {
  std::uint32_t c0 = static_cast<std::uint32_t>(index), c1 = static_cast<std::uint32_t>(index >> 32),
                c2 = step, c3 = stream;
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1), c3 = static_cast<std::uint32_t>(p0), c0 = n0, c2 = n2;
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// Uniform float in [0, 1) from the upper 24 bits of a word.
TIMBRE_HD inline float uniform_float(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// Uniform double in [0, 1) from two words (53 bits).
TIMBRE_HD inline double uniform_double(std::uint32_t high, std::uint32_t low) {
  return static_cast<double>((std::uint64_t{high} << 21) ^ (low >> 11)) * 0x1p-53;
}

/// A sequential view of one stream, for host code that draws as it goes (initialisers, shuffles, synthesis).
class PhiloxSequence {
 public:
  PhiloxSequence(std::uint64_t seed, std::uint32_t stream, std::uint32_t step = 0)
      : seed_(seed), stream_(stream), step_(step) {}

  std::uint32_t next() {
    if (used_ == 4) block_ = philox(seed_, stream_, step_, index_++), used_ = 0;
    return block_.v[used_++];
  }
  /// Uniform in [0, 1).
  double uniform() {
    const auto high = next();
    return uniform_double(high, next());
  }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform integer in [0, n), without bias; n >= 1.
  std::uint64_t below(std::uint64_t n) {
    const std::uint64_t limit = UINT64_MAX - (UINT64_MAX % n + 1) % n;
    for (;;) {
      const std::uint64_t high = next(), x = high << 32 | next();
      if (x <= limit) return x % n;
    }
  }
  /// Standard normal (Box-Muller, one value for two uniforms).
  double normal();

 private:
  std::uint64_t seed_, index_ = 0;
  std::uint32_t stream_, step_;
  PhiloxBlock block_{};
  int used_ = 4;
};

/// Streams in use, so that no two purposes share numbers.
namespace stream {
inline constexpr std::uint32_t initialiser = 1;  // step: index of the parameter
inline constexpr std::uint32_t shuffle = 2;      // step: epoch
inline constexpr std::uint32_t split = 3;        // step: class
inline constexpr std::uint32_t synthetic = 4;    // step: clip
inline constexpr std::uint32_t bootstrap = 5;    // step: sample
inline constexpr std::uint32_t search = 6;       // step: trial of a random search
inline constexpr std::uint32_t artist = 7;       // step: artist of the synthetic genres
inline constexpr std::uint32_t start = 8;        // step: clip of the synthetic genres
inline constexpr std::uint32_t augment = 9;      // step: training step
inline constexpr std::uint32_t mixup = 10;       // step: training step
inline constexpr std::uint32_t crop = 11;        // step: training step
inline constexpr std::uint32_t signs = 20;       // step: draw of a test by random signs
inline constexpr std::uint32_t calibrated = 21;  // step: simulation of a calibrated model
inline constexpr std::uint32_t dropout = 1000;   // + index of the layer; step: training step
}  // namespace stream

}  // namespace timbre
