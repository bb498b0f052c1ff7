// Figures as a reader sees them: one rounding for sentences, Markdown and the page.
//
// A number is rounded once, from its full value, to the nearest; exactly between two it goes away from zero. The page's scripts
// round full values in the same way (toFixed). printf would differ at 6.25.
#pragma once

#include <string>

#include "evaluation/statistics.hpp"
#include "report/spread.hpp"

namespace timbre::report {

std::string fixed(double value, int digits);
std::string percent(double share);                   // "72.5%", "–" where it is not known
std::string points(double share);                    // "+3.0 points"
std::string percent_range(double low, double high);  // "62.0 to 84.0%"
std::string point_range(const Spread& s);            // "−5.1 to +11.1 points"
std::string decimals(double value);                  // "0.713"
std::string p_text(double p);                        // "0.0312", "1e-31"
std::string plural(std::int64_t n, const std::string& what);

/// "73.0 ± 15.4%"; "73.0% (57.2 to 100.0%)" where the interval was cut; of two repetitions "70.0% (65.0 and 75.0%)"; of
/// one its value.
std::string plus_minus(const Spread& s);
/// The interval of a difference: "−5.1 to +11.1"; "– (two repetitions)", "– (one)".
std::string interval_text(const Spread& s);

}  // namespace timbre::report
