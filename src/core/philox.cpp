#include "core/philox.hpp"

#include <cmath>
#include <numbers>

namespace timbre {

double PhiloxSequence::normal() {
  const double u = 1.0 - uniform(), v = uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

}  // namespace timbre
