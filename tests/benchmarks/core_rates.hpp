// What a core can do at best: the two numbers of which compare.py makes the floor of a step.
#pragma once

#include <cstdint>

#include "core/parallel.hpp"

namespace timbre::benchmarks {

struct FmaLoop {
  float (*run)(std::int64_t rounds);
  int operations;  // of one round, a multiplication and an addition counted as two
};

/// Milliseconds in which all threads of the pool make 10^9 operations, by fma in registers of the widest instruction
/// set that TIMBRE_ISA allows.
double milliseconds_of_a_gflop(ThreadPool& pool);

/// Milliseconds in which all threads of the pool read and write 10^9 bytes in all, copying 8 MiB each: about what an
/// optimizer does with a million parameters.
double milliseconds_of_a_gigabyte(ThreadPool& pool);

}  // namespace timbre::benchmarks
