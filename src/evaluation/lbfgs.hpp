// Minimises a smooth convex function by L-BFGS (D. Liu, J. Nocedal, "On the limited memory BFGS method", 1989), ten
// corrections, with a line search that halves and doubles until the weak Wolfe conditions hold (Armijo's up to the
// rounding of the function's value). Serial and without chance: the same function gives the same bytes. (The libraries
// for it that Debian has are not kept any more, or bring a modelling language with them.)
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace timbre::evaluation {

struct Minimum {
  std::vector<double> x;
  double value = 0, gradient = 0;  // gradient: its largest magnitude
  int iterations = 0;
  bool converged = false;  // the gradient is below the tolerance
};

/// `function` writes the gradient at x and returns the value.
Minimum minimise(const std::function<double(std::span<const double> x, std::span<double> gradient)>& function,
                 std::vector<double> start, double tolerance, int most_iterations = 2000);

}  // namespace timbre::evaluation
