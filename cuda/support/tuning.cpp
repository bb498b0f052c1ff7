#include "support/tuning.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace timbre::cuda {

std::int64_t tuning(const char* variable, std::int64_t otherwise) {
  const char* set = std::getenv(variable);
  const std::string_view text = set ? set : "";
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= 0 ? value : otherwise;
}

}  // namespace timbre::cuda
