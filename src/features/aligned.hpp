// Arrays on 64-byte boundaries, as FFTW's SIMD codelets and whole vector loads want them.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace timbre::features {

template <class T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};
  CacheLineAllocator() = default;
  template <class U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), alignment)); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, alignment); }
  template <class U>
  bool operator==(const CacheLineAllocator<U>&) const {
    return true;
  }
};

template <class T>
using Aligned = std::vector<T, CacheLineAllocator<T>>;
using AlignedFloats = Aligned<float>;

/// The next multiple of 16 floats (64 bytes).
inline std::size_t round_to_line(std::size_t floats) { return (floats + 15) / 16 * 16; }

}  // namespace timbre::features
