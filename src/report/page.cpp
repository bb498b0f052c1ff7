#include "report/page.hpp"

#include <map>

#include "core/error.hpp"
#include "core/text.hpp"
#include "plot/svg.hpp"
#include "report/sentences.hpp"

namespace timbre::report {

extern const std::map<std::string, std::string> embedded_files;

namespace {

// The page's scripts as one, each after those it uses.
std::string scripts() {
  std::string out;
  for (const auto* name :
       {"parts.js", "charts.js", "plots.js", "figures.js", "settings.js", "models.js", "report.js"})
    out += embedded(name);
  return out;
}

}  // namespace

const std::string& embedded(const std::string& name) {
  const auto at = embedded_files.find(name);
  if (at == embedded_files.end()) fail("the page's file {} was not built in", name);
  return at->second;
}

std::string html_page(const Analysis& a, const std::string& title, const Options& options,
                      const std::filesystem::path& folder) {
  const std::map<std::string, std::string> parts{
      {"title", plot::xml_text(printable(title))},
      {"sentence", plot::xml_text(printable(comparison_sentence(a, options)))},
      {"css", embedded("report.css")},
      {"chart_js", embedded("chart.min.js")},
      {"script", scripts()},
      {"data", page_data(a, title, options, folder)}};
  // One pass over the template: what is put in is not looked at again.
  const auto& page = embedded("report.html");
  std::string out;
  for (std::size_t at = 0; at < page.size();) {
    const auto open = std::min(page.find("{{", at), page.size());
    out.append(page, at, open - at);
    if (open == page.size()) break;
    const auto close = page.find("}}", open);
    out += parts.at(page.substr(open + 2, close - open - 2));
    at = close + 2;
  }
  return out;
}

}  // namespace timbre::report
