#include "results/environment.hpp"

#include <fftw3.h>
#include <fmt/format.h>
#include <sndfile.h>
#include <soxr.h>
#include <sys/utsname.h>

#include <fstream>
#include <oneapi/dnnl/dnnl.hpp>

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

/// The widest instruction set oneDNN was allowed: part of what "the same bytes" depends on.
std::string instruction_set() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "SSE4.1";
    case dnnl::cpu_isa::avx:
      return "AVX";
    case dnnl::cpu_isa::avx2:
      return "AVX2";
    case dnnl::cpu_isa::avx2_vnni:
      return "AVX2 with VNNI";
    case dnnl::cpu_isa::avx512_core:
      return "AVX-512";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "AVX-512 with VNNI";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "AVX-512 with BF16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "AVX-512 with AMX";
    default:
      return "default";
  }
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
  const auto* dnnl = dnnl_version();
  return {{"cpu", cpu_model()},
          {"instruction_set", instruction_set()},
          {"cores", std::to_string(available_cores())},
          {"threads", std::to_string(threads)},
          {"system", fmt::format("{} {} {}", names.sysname, names.release, names.machine)},
          {"compiler", compiler()},
#ifdef NDEBUG
          {"build", "optimised"},
#else
          {"build", "with assertions"},
#endif
          {"onednn", fmt::format("{}.{}.{}", dnnl->major, dnnl->minor, dnnl->patch)},
          {"fftw", fftwf_version},
          {"libsndfile", sf_version_string()},
          {"soxr", soxr_version()},
          {"hdf5", storage::hdf5_version()}};
}

}  // namespace timbre::results
