// The vector instructions that hand-written kernels may use.
//
// Such kernels are compiled once per instruction set (core/each_target.inc) and chosen at run time, so that one
// binary starts on every x86-64 and uses AVX-512 where there is some. The environment variable
// DNNL_MAX_CPU_ISA, which limits oneDNN, limits them too: one switch for everything that runs.
#pragma once

namespace timbre {

enum class Isa { generic, avx2, avx512 };

/// The best of this machine within the limit; the same for the whole process.
Isa isa();

}  // namespace timbre
