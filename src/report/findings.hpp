// What was found, in plain sentences that say no more than the intervals do.
#pragma once

#include <string>
#include <vector>

#include "report/analysis.hpp"

namespace timbre::report {

std::vector<std::string> findings(const Analysis& a);

/// "mlp: l2 1e-4, dropout 0.2"
std::string full_name(const Family& f, const Configuration& c);

std::string percent(double share);                            // "67.0%"; "–" for NaN
std::string plus_minus(const Spread& s);                      // "67.0 ± 12.9%"
std::string points(double share);                             // "+3.2 points"
std::string plural(std::int64_t n, const std::string& what);  // "1 run", "1,200 runs"
std::string listed(const std::vector<std::string>& names);    // "mlp, cnn and lstm"

}  // namespace timbre::report
