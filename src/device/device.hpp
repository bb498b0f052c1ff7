// Which device a run uses. The CPU is built in; other back ends are plug-ins that add themselves to the registry.
#pragma once

#include <string>

#include "core/registry.hpp"

namespace timbre::device {

/// Entry of the registry of back ends.
struct Backend {
  std::string (*describe)();  // what it is: "NVIDIA H200"; asked only where it can be used
  std::string (*why_not)();   // "" when it can be used, or the reason in one line
};
using BackendRegistry = Registry<Backend>;

struct Choice {
  std::string name;    // "cpu", "cuda"
  std::string notice;  // a line for the person, or ""
};

/// Loads the plug-ins that lie beside this library, once per process; where one cannot be loaded (the libraries it
/// needs are not there), its back end is known with that reason. Libraries of the CUDA Toolkit that the linker does
/// not know are looked for in TIMBRE_CUDA_LIBRARIES (folders, separated by colons), CUDA_HOME, CUDA_PATH and
/// /usr/local/cuda.
void load_plugins();

/// Resolves auto | cpu | cuda. `auto` takes an accelerator where one can be used, and the CPU otherwise.
/// Throws Error, one line with the reason, where the device asked for by name cannot be used.
Choice choose(const std::string& requested);

}  // namespace timbre::device
