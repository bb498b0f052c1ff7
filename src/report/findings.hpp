// What was found, in plain sentences that say no more than the intervals do.
#pragma once

#include <string>
#include <vector>

#include "report/analysis.hpp"

namespace timbre::report {

/// What was compared, in one sentence.
std::string comparison_sentence(const Analysis& a, const Options& options);

/// How configurations were chosen, and whose test figures are withheld.
std::string selection_sentence(const Analysis& a);

/// Which interval over repetitions the figures have, and what it answers; "" where nothing is repeated.
std::string interval_sentence(const Analysis& a);

/// Which models stand apart, and why none is ranked against another; "" where none does.
std::string parting_sentence(const Analysis& a);

std::vector<std::string> findings(const Analysis& a);

/// A warning that must stand where the figures stand; `text` says what it means.
struct Stamp {
  std::string name, text;  // SYNTHETIC, LEAKS
};
std::vector<Stamp> stamps(const Analysis& a);

/// "mlp: l2 1e-4, dropout 0.2"
std::string full_name(const Family& f, const Configuration& c);

std::string percent(double share);                            // "67.0%"; "–" for NaN
std::string plus_minus(const Spread& s);                      // "67.0 ± 12.9%"
std::string points(double share);                             // "+3.2 points"
std::string plural(std::int64_t n, const std::string& what);  // "1 run", "1,200 runs"

}  // namespace timbre::report
