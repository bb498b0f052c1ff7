#include "cli/explain.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/terminal.hpp"
#include "config/explain.hpp"
#include "config/json_schema.hpp"
#include "core/error.hpp"

namespace timbre::cli {

namespace {

// Longer lines are hard to read.
constexpr std::size_t most_columns = 110;

void show(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

}  // namespace

Explain::Explain(CLI::App& app, CLI::Option& file) {
  auto* explain = app.add_option_function<std::string>(
      "--explain", [this](const std::string& path) { path_ = path; },
      "print what a key or a part means, as training.optimizer.adam; without PATH: all of them");
  explain->expected(0, 1)->type_name("[PATH]");
  app.add_flag("--json", json_,
               "with --explain: a JSON Schema, with which an editor completes and checks the file")
      ->needs(explain);
  // CLI11 would leave the path to a positional argument that is required.
  file.required(false);
  app.parse_complete_callback([this, &file] {
    if (!asked() && file.count() == 0) throw CLI::RequiredError(file.get_name());
  });
}

void Explain::print(const config::Struct& root, const std::string& title,
                    const std::vector<config::Struct>& others) const {
  // (A pager's output is no terminal, but its messages are.)
  const int sized = isatty(STDOUT_FILENO) ? STDOUT_FILENO : STDERR_FILENO;
  const config::ExplainStyle style{std::min(terminal_size(sized).columns, most_columns),
                                   shows_emphasis(STDOUT_FILENO)};
  if (path_->empty()) return show(json_ ? json_schema(root, title).dump(2) + "\n" : explain(root, style));
  auto known = config::places(root);
  for (const auto& other : others)
    for (auto& place : config::places(other)) known.push_back(std::move(place));
  const auto place = find(known, *path_);
  show(json_ ? json_schema(place).dump(2) + "\n" : explain(place, style));
}

}  // namespace timbre::cli
