// Where a run was made: what may explain a difference between two results. No names of users or hosts.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace timbre::results {

/// Timbre's own version, "0.1.0".
std::string library_version();

/// cpu, instruction_set, cores, threads, system, compiler, build, and the versions of the libraries that
/// numbers go through. Nothing in it changes from one run to the next on the same machine.
std::vector<std::pair<std::string, std::string>> describe_environment(int threads);

}  // namespace timbre::results
