#include "core/isa.hpp"

#include <cstdlib>

#include "core/error.hpp"

namespace timbre {

std::string_view name_of(Isa isa) {
  return isa == Isa::avx512 ? "avx512" : isa == Isa::avx2 ? "avx2" : "generic";
}

Isa machine_isa() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return Isa::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::generic;
}

Isa isa() {
  static const Isa chosen = [] {
    const auto best = machine_isa();
    const char* wanted = std::getenv("TIMBRE_ISA");
    if (!wanted || !*wanted) return best;
    for (const auto isa : {Isa::generic, Isa::avx2, Isa::avx512})
      if (wanted == name_of(isa)) {
        if (isa > best) fail_request("TIMBRE_ISA={}: this machine has {} only", wanted, name_of(best));
        return isa;
      }
    fail_request("TIMBRE_ISA={}: known: generic, avx2, avx512", wanted);
  }();
  return chosen;
}

}  // namespace timbre
