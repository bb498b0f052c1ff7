// How much memory this process may still take.
#pragma once

#include <cstdint>

namespace timbre {

/// Bytes that can be taken without swapping: the kernel's MemAvailable, or what a control group (a container, a job
/// of a batch system) leaves, whichever is less. The largest int64 where neither can be read.
std::int64_t available_memory();

}  // namespace timbre
