#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>

namespace timbre {

namespace {

// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> older(b.size() + 1), old(b.size() + 1), now(b.size() + 1);
  std::iota(old.begin(), old.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({old[j] + 1, now[j - 1] + 1, old[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], older[j - 2] + 1);
    }
    std::swap(older, old);
    std::swap(old, now);
  }
  return old[b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  if (name.size() > 64) return "";
  std::string best;
  std::size_t distance = std::max<std::size_t>(1, (name.size() + 1) / 3) + 1;
  for (const auto& k : known) {
    const auto d = edit_distance(name, k);
    if (d < distance && d < k.size()) distance = d, best = k;
  }
  return best.empty() ? "" : fmt::format("; did you mean '{}'?", best);
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string number_text(double value) {
  if (std::isfinite(value) && value == std::floor(value) && std::abs(value) < 1e15)
    return fmt::format("{:.0f}", value);
  return fmt::format("{}", value);
}

std::string duration_text(double seconds) {
  if (!(seconds >= 0)) return "?";
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto s = static_cast<std::int64_t>(std::llround(seconds));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
}

std::string grouped(std::int64_t value) {
  std::string s = std::to_string(value);
  for (auto i = static_cast<std::int64_t>(s.size()) - 3; i > (value < 0); i -= 3)
    s.insert(std::size_t(i), ",");
  return s;
}

std::string snake_case(std::string_view class_name) {
  const auto is = [&](std::size_t i, auto kind) {
    return i < class_name.size() && kind(static_cast<unsigned char>(class_name[i]));
  };
  const auto upper = [](int c) { return std::isupper(c) != 0; };
  const auto lower = [](int c) { return std::islower(c) != 0; };
  std::string out;
  for (std::size_t i = 0; i < class_name.size(); ++i) {
    const bool word = i > 0 && is(i, upper) && (is(i + 1, lower) || is(i - 1, lower));
    if (word) out += '_';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(class_name[i])));
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t length = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 0;
    bool valid = length > 0 && i + length <= text.size() && c >= 0x20 && c != 0x7F && c < 0xF8;
    for (std::size_t k = 1; valid && k < length; ++k) valid = (text[i + k] & 0xC0) == 0x80;
    if (valid) {
      out += text.substr(i, length);
      i += length;
    } else {
      out += fmt::format("\\x{:02x}", c);
      ++i;
    }
  }
  return out;
}

}  // namespace timbre
