// The figures of a report as CSV (a row per configuration) and as Markdown.
#pragma once

#include <string>

#include "report/analysis.hpp"

namespace timbre::report {

/// RFC 4180 with \n; empty cells where a figure is unknown or withheld. Shares are of 1, times in seconds.
std::string csv_table(const Analysis& a);

/// Headline table, findings, all configurations on validation, differences, failed runs.
std::string markdown_report(const Analysis& a, const std::string& title, const Options& options);

}  // namespace timbre::report
