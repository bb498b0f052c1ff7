// Rules: what a value must satisfy beyond its type, as a predicate, in words, and as limits that a JSON Schema can say.
//
//   .field("rate", &DropoutOptions::rate, "share of the values that is set to 0", config::rate())
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "config/description.hpp"
#include "core/text.hpp"

namespace timbre::config {

/// Checks a value. It passes over null where null is allowed, and checks each item of a sequence. `text` finishes the
/// sentence "must be ...".
template <class M>
struct Rule {
  std::function<bool(const M&)> holds;
  std::string text;
  Limits limits = {};
};

inline auto at_least(auto low) {
  return Rule<decltype(low)>{[=](const auto& v) { return v >= low; }, "at least " + number_text(double(low)),
                             Limits{.low = double(low)}};
}
inline auto above(double low) {
  return Rule<double>{[=](const double& v) { return v > low; }, "greater than " + number_text(low),
                      Limits{.low = low, .above_low = true}};
}
inline auto between(auto low, auto high) {
  return Rule<decltype(low)>{[=](const auto& v) { return v >= low && v <= high; },
                             "between " + number_text(double(low)) + " and " + number_text(double(high)),
                             Limits{.low = double(low), .high = double(high)}};
}
/// (low, high]
inline auto above_up_to(double low, double high) {
  return Rule<double>{[=](const double& v) { return v > low && v <= high; },
                      "greater than " + number_text(low) + " and at most " + number_text(high),
                      Limits{.low = low, .high = high, .above_low = true}};
}
/// [0, 1): a rate of which something must be left.
inline auto rate() {
  return Rule<double>{[](const double& v) { return v >= 0 && v < 1; }, "at least 0 and less than 1",
                      Limits{.low = 0, .high = 1, .below_high = true}};
}
Rule<std::string> one_of(std::vector<std::string> choices);
/// The same, with what each choice means.
Rule<std::string> choice_of(std::vector<Choice> choices);

}  // namespace timbre::config
