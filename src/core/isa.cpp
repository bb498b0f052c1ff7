#include "core/isa.hpp"

#include <oneapi/dnnl/dnnl.h>

namespace timbre {

Isa isa() {
  static const Isa best = [] {
#if defined(__x86_64__)
    const unsigned allowed = dnnl_get_effective_cpu_isa();
    const auto may = [&](unsigned wanted) { return (allowed & wanted) == wanted; };
    if (may(dnnl_cpu_isa_avx512_core) && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
      return Isa::avx512;
    if (may(dnnl_cpu_isa_avx2) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      return Isa::avx2;
#endif
    return Isa::generic;
  }();
  return best;
}

}  // namespace timbre
