// make_report RESULT... -o report.html: one page, and its tables, over any result files.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/command_line.hpp"
#include "core/error.hpp"
#include "core/shell_word.hpp"
#include "core/text.hpp"
#include "report/report.hpp"

int main(int argc, char** argv) {
  using namespace timbre;
  CLI::App app{
      "Compares runs in one self-contained HTML page, with its tables as .csv and .md beside it; the last "
      "line on stdout names the page.",
      "make_report"};
  std::vector<std::filesystem::path> named;
  std::filesystem::path html;
  std::vector<std::filesystem::path> references;
  report::Options options{.refuse_unknown_axes = true};
  app.add_option("RESULT", named, "result files, or folders: every result.h5 in them")->required();
  app.add_option("-o,--output", html, "the page to write")->required();
  app.add_option("--title", options.title, "title of the page (default: the experiments' names)");
  app.add_option("--axis", options.axes,
                 "a key whose values are compared, as regularisation.l2 (default: all that differ)")
      ->allow_extra_args(false);
  app.add_option("--reference", references,
                 "a result whose configuration the others of its model are compared with (default: the first "
                 "of each model); of a random search, the run of its base")
      ->allow_extra_args(false);
  cli::add_unverified(app, options.unverified);
  return cli::run_command(app, argc, argv, [&] {
    if (const auto ending = html.extension(); ending != ".html" && ending != ".htm")
      timbre::fail_request("-o {}: the page is an HTML file, so its name must end in .html",
                           printable(html.string()));
    std::vector<std::filesystem::path> results;
    options.command = "make_report";
    for (const auto& path : named) {
      for (auto& file : report::find_results(path)) results.push_back(std::move(file));
      options.command += " " + shell_word(path.string());
    }
    options.command += " -o " + shell_word(html.string());
    if (options.unverified) options.command += " --unverified";
    if (!options.title.empty()) options.command += " --title " + shell_word(options.title);
    for (const auto& axis : options.axes) options.command += " --axis " + shell_word(axis);
    for (const auto& reference : references) {
      const auto is_it = [&](const auto& file) {
        std::error_code ignored;
        return std::filesystem::equivalent(file, reference, ignored);
      };
      if (std::none_of(results.begin(), results.end(), is_it))
        fail_request("--reference {}: is none of the results", printable(reference.string()));
      options.command += " --reference " + shell_word(reference.string());
    }
    if (!references.empty()) options.references = references;
    const auto written = report::write_report(results, html, options);
    for (const auto& [file, why] : written.unreadable)
      std::fputs(fmt::format("make_report: left out: {}: {}\n", file, why).c_str(), stderr);
    std::printf("%s, %.1f MB; tables: %s, %s\nreport: %s\n",
                counted(std::int64_t(written.runs), "result").c_str(), double(written.bytes) / 1e6,
                written.csv.c_str(), written.markdown.c_str(), written.html.c_str());
    return written.unreadable.empty() ? 0 : 1;
  });
}
