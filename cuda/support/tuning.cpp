#include "cuda/support/tuning.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::cuda {

std::int64_t tuning(const char* variable, std::int64_t otherwise) {
  const char* set = std::getenv(variable);
  if (!set || !*set) return otherwise;
  const std::string_view text = set;
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0)
    fail_request("{}={}: must be a whole number of at least 0", variable, printable(text));
  return value;
}

}  // namespace timbre::cuda
