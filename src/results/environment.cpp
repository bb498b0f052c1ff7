#include "results/environment.hpp"

#include <fftw3.h>
#include <fmt/format.h>
#include <sndfile.h>
#include <soxr.h>
#include <sys/utsname.h>

#include <fstream>

#include "core/isa.hpp"
#include "core/parallel.hpp"
#include "storage/hdf5.hpp"

namespace timbre::results {
namespace {

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name") || line.starts_with("Model"))
      if (const auto at = line.find(": "); at != line.npos) return line.substr(at + 2);
  utsname names{};
  return uname(&names) == 0 ? names.machine : "unknown";
}

std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#elif defined(__GNUC__)
  return "GCC " __VERSION__;
#else
  return "unknown";
#endif
}

}  // namespace

std::string library_version() { return TIMBRE_VERSION; }

std::vector<std::pair<std::string, std::string>> describe_environment(int threads) {
  utsname names{};
  uname(&names);
  return {{"cpu", cpu_model()},
          {"instruction_set", std::string(name_of(isa()))},
          {"cores", std::to_string(available_cores())},
          {"threads", std::to_string(threads)},
          {"system", fmt::format("{} {} {}", names.sysname, names.release, names.machine)},
          {"compiler", compiler()},
#ifdef NDEBUG
          {"build", "optimised"},
#else
          {"build", "with assertions"},
#endif
          {"fftw", fftwf_version},
          {"libsndfile", sf_version_string()},
          {"soxr", soxr_version()},
          {"hdf5", storage::hdf5_version()}};
}

}  // namespace timbre::results
