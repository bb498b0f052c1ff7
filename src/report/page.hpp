// The page: its template, style, scripts and Chart.js (src/report/page, embedded when Timbre is built) around
// one block of data.
#pragma once

#include <filesystem>
#include <string>

#include "report/analysis.hpp"

namespace timbre::report {

/// The whole HTML text. `folder`: where the page will be; it names files relative to it.
std::string html_page(const Analysis& a, const std::string& title, const Options& options,
                      const std::filesystem::path& folder);

/// The block of data as JSON without '<', '>' and '&', as a script element needs it.
std::string page_data(const Analysis& a, const std::string& title, const Options& options,
                      const std::filesystem::path& folder);

/// Embedded files by name: "report.html", "report.css", "report.js", "chart.min.js".
const std::string& embedded(const std::string& name);

}  // namespace timbre::report
