// The vector instructions that kernels may use.
//
// Kernels are compiled once per instruction set (core/each_target.inc) and chosen at run time. So one binary starts on
// every x86-64, and uses AVX-512 where there is some. The environment variable TIMBRE_ISA (generic, avx2 or avx512) asks
// for less than the machine has. FFTW chooses by the machine alone, and no variable reaches it.
#pragma once

#include <string_view>

namespace timbre {

enum class Isa { generic, avx2, avx512 };

/// The best of this machine within the limit; the same for the whole process. Throws RequestError where
/// TIMBRE_ISA is none of the names, or names a set that this machine lacks.
Isa isa();

/// The best of this machine, whatever TIMBRE_ISA says.
Isa machine_isa();

/// "generic", "avx2" or "avx512".
std::string_view name_of(Isa isa);

}  // namespace timbre
