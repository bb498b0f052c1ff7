// Between GCC's -fsanitize-coverage=trace-pc and libFuzzer 14, which counts in arrays that clang would fill: every place
// that is passed adds one to a counter of its own, found by its address. Part of the library that is fuzzed, and seen
// there alone, since libFuzzer has a function of the same name that only complains.
#include <array>
#include <cstddef>
#include <cstdint>

extern "C" {
void __sanitizer_cov_8bit_counters_init(std::uint8_t* begin, std::uint8_t* end);
void __sanitizer_cov_pcs_init(const std::uintptr_t* begin, const std::uintptr_t* end);
}

namespace {

constexpr std::size_t places = std::size_t{1} << 18;
std::array<std::uint8_t, places> counters;
std::array<std::uintptr_t, 2 * places> names;  // an address and flags for each

[[gnu::constructor]] __attribute__((no_sanitize_coverage)) void tell() {
  for (std::size_t i = 0; i < places; ++i) names[2 * i] = i + 1;
  __sanitizer_cov_8bit_counters_init(counters.data(), counters.data() + places);
  __sanitizer_cov_pcs_init(names.data(), names.data() + names.size());
}

}  // namespace

extern "C" {
[[gnu::visibility("hidden")]] __attribute__((no_sanitize_coverage, no_sanitize_address,
                                             no_sanitize_undefined)) void
__sanitizer_cov_trace_pc() {
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  auto* counter = &counters[0] + (place ^ place >> 18) % places;
  *counter = std::uint8_t(*counter + (*counter < 255));
}
// Comparisons of floating-point numbers, from which nothing is learned.
[[gnu::visibility("hidden")]] void __sanitizer_cov_trace_cmpf(float, float) {}
[[gnu::visibility("hidden")]] void __sanitizer_cov_trace_cmpd(double, double) {}
}
