#include "device/algorithms.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::device {
namespace {

struct Way {
  const char* variable;
  std::string_view what;   // "an LSTM"
  std::string_view usual;  // what auto is
};
constexpr Way ways[] = {{"TIMBRE_LSTM", "an LSTM", "cudnn"},
                        {"TIMBRE_GRU", "a GRU", "cudnn"},
                        {"TIMBRE_CONV", "a convolution", "cudnn"},
                        {"TIMBRE_DROPOUT", "dropout", "own"}};

struct Number {
  const char* variable;
  std::int64_t usual;
};
constexpr Number numbers[] = {
    {"TIMBRE_CUDA_EVALUATION_ROWS", 128},
    {"TIMBRE_CUDA_WINDOW_FLOATS", std::int64_t{1} << 25},  // 128 MiB: 256 of configs/cnn.yaml's largest
    {"TIMBRE_LSTM_SINGLE_ROWS", 128}};

template <class T, std::size_t N>
const T& entry(const T (&table)[N], std::string_view variable) {
  const auto* found = std::find_if(table, table + N, [&](const T& t) { return t.variable == variable; });
  if (found == table + N) throw std::logic_error("no variable " + std::string(variable));
  return *found;
}

/// The variable's value; "" where it is not set.
std::string_view set(const char* variable) {
  const char* value = std::getenv(variable);
  return value ? value : "";
}

}  // namespace

std::string_view algorithm(std::string_view variable) {
  const auto& c = entry(ways, variable);
  const auto wanted = set(c.variable);
  if (wanted.empty() || wanted == "auto") return c.usual;
  for (const std::string_view known : {"cudnn", "own"})
    if (wanted == known) return known;
  fail_request("{}: '{}' is no way to compute {}; known: auto, cudnn, own", c.variable, printable(wanted),
               c.what);
}

bool asked_for(std::string_view variable) {
  const auto wanted = set(entry(ways, variable).variable);
  return !wanted.empty() && wanted != "auto";
}

std::int64_t tuned_number(std::string_view variable) {
  const auto& n = entry(numbers, variable);
  const auto text = set(n.variable);
  if (text.empty()) return n.usual;
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0)
    fail_request("{}={}: must be a whole number of at least 0", n.variable, printable(text));
  return value;
}

std::vector<AlgorithmSetting> algorithm_settings() {
  std::vector<AlgorithmSetting> settings;
  for (const auto& c : ways) {
    const auto value = algorithm(c.variable);
    settings.push_back({c.variable, std::string(value), value == c.usual});
  }
  for (const auto& n : numbers) {
    const auto value = tuned_number(n.variable);
    settings.push_back({n.variable, std::to_string(value), value == n.usual});
  }
  return settings;
}

std::string describe(const std::vector<AlgorithmSetting>& settings, bool all) {
  std::string text;
  for (const auto& s : settings)
    if (all || !s.usual) text += (text.empty() ? "" : " ") + s.variable + "=" + s.value;
  return text;
}

void apply_algorithm_settings(std::string_view text) {
  for (const auto& c : ways) unsetenv(c.variable);
  for (const auto& n : numbers) unsetenv(n.variable);
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    const auto equals = std::min(word.find('='), word.size());
    const std::string name(word.substr(0, equals)), value(word.substr(std::min(equals + 1, word.size())));
    const auto names = [&](const auto& t) { return name == t.variable; };
    if (!std::ranges::any_of(ways, names) && !std::ranges::any_of(numbers, names))
      fail("the record names an algorithm that this version does not know: {}", printable(word));
    setenv(name.c_str(), value.c_str(), 1);
  }
  algorithm_settings();
}

}  // namespace timbre::device
