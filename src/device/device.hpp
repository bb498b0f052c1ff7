// Which device a run uses: plug-ins are loaded, and `auto` is resolved, here.
#pragma once

#include <string>

#include "device/backend.hpp"

namespace timbre::device {

struct Choice {
  std::string name;    // "cpu", "cuda", "cuda:1": what find() takes
  std::string notice;  // a line for the person, or ""
};

/// Loads the plug-ins that lie beside this library, once per process; where one cannot be loaded (the libraries it
/// needs are not there), its back end is known with that reason. Libraries of the CUDA Toolkit that the linker does
/// not know are looked for in TIMBRE_CUDA_LIBRARIES (folders, separated by colons), CUDA_HOME, CUDA_PATH and
/// /usr/local/cuda.
void load_plugins();

/// Resolves auto | cpu | cuda | cuda:N; cuda is cuda:0. `auto` takes the first accelerator that can be used, and the CPU otherwise.
/// Throws Error, one line with the reason, where the device asked for by name cannot be used; RequestError where it is no
/// name of a device.
Choice choose(const std::string& requested);

}  // namespace timbre::device
