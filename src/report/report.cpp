#include "report/report.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "report/analysis.hpp"
#include "report/page.hpp"
#include "report/tables.hpp"
#include "storage/atomic_file.hpp"

namespace timbre::report {

namespace fs = std::filesystem;

Written write_report(const std::vector<fs::path>& results, const fs::path& html, const Options& options) {
  if (html.filename().empty() || fs::is_directory(html))
    fail_request("{}: is a folder; name the report's file", printable(html.string()));
  if (html.extension() == ".csv" || html.extension() == ".md")
    fail_request("{}: the page cannot end in {}: that is the name of its table", printable(html.string()),
                 html.extension().string());
  const auto analysis = analyse(results, options);
  auto title = options.title;
  std::vector<std::string> experiments;
  for (const auto& r : analysis.runs)
    if (std::find(experiments.begin(), experiments.end(), r.experiment) == experiments.end())
      experiments.push_back(r.experiment);
  if (title.empty()) title = join(experiments);
  Written written{html, fs::path(html).replace_extension(".csv"), fs::path(html).replace_extension(".md")};
  const auto page = html_page(analysis, title, options, fs::absolute(html).lexically_normal().parent_path());
  written.bytes = page.size(), written.runs = analysis.runs.size(), written.unreadable = analysis.unreadable;
  written.diverged =
      std::size_t(std::ranges::count(analysis.runs, std::string("diverged"), &RunSummary::status));
  const auto links = options.own_folder ? storage::Links::replace : storage::Links::follow;
  storage::write_file(written.csv, csv_table(analysis), links);
  storage::write_file(written.markdown, markdown_report(analysis, title, options), links);
  storage::write_file(written.html, page, links);
  return written;
}

std::vector<fs::path> find_results(const fs::path& path) {
  if (!fs::exists(path)) fail_request("{}: no such file or folder", printable(path.string()));
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> found;
  for (const auto& entry :
       fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied))
    if (entry.path().filename() == "result.h5" && entry.is_regular_file()) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  if (found.empty()) fail_request("{}: no result.h5 in it", printable(path.string()));
  return found;
}

}  // namespace timbre::report
