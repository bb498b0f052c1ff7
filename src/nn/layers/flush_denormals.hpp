// Gradients that fade over many steps end as denormal numbers, which are many times slower: recurrent layers take them as
// zero while one of these lives, on the thread that made it.
#pragma once

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace timbre::nn {

class FlushDenormals {
 public:
#if defined(__SSE__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }
  ~FlushDenormals() { _mm_setcsr(before_); }
#else
  FlushDenormals() {}
#endif
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned before_ = 0;
};

}  // namespace timbre::nn
