// inspect FILE: what is in a result or feature file, as a person would read it. inspect FOLDER: the runs and studies in it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "cli/command_line.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/model_card.hpp"
#include "results/csv.hpp"
#include "results/describe.hpp"
#include "study/inventory.hpp"

namespace {

/// Names what no result needs, and removes it if asked to. Returns the text about it.
std::string clean_folder(const std::filesystem::path& folder, bool removes) {
  using namespace timbre;
  std::string note, out;
  std::uintmax_t bytes = 0;
  std::size_t count = 0;
  for (const auto& left : study::leftovers(folder, note)) {
    std::error_code error;
    if (removes && !std::filesystem::remove(left.file, error) && error)
      fail("{}: cannot be removed: {}", printable(left.file.string()), error.message());
    out += fmt::format("{}{}: {}, {:.1f} kB\n", removes ? "removed " : "", left.file.string(), left.why,
                       double(left.bytes) / 1e3);
    bytes += left.bytes, ++count;
  }
  if (!note.empty()) out += note + "\n";
  out += fmt::format("{} file{}, {:.1f} MB{}\n", count, count == 1 ? "" : "s", double(bytes) / 1e6,
                     removes || count == 0 ? "" : "; --clean=remove removes them");
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Shows what is in a result or feature file, and which runs and studies a folder holds.",
               "inspect"};
  std::string file, csv, clean;
  bool config = false, all = false, card = false;
  timbre::storage::Trust trust;
  app.add_option("FILE", file, "a result (result.h5), features (features.h5), or a folder of runs")
      ->required();
  app.add_flag("--config", config, "print the run's resolved configuration instead, as YAML that runs again");
  app.add_flag("--card", card,
               "a model card instead, as Markdown: data, split, figures, what was not tested");
  app.add_flag("--all", all, "every epoch and every bad file, not a selection");
  app.add_option("--csv", csv, "print predictions, history or splits of a result as CSV")
      ->check(CLI::IsMember({"predictions", "history", "splits"}));
  app.add_flag("--clean{list}", clean,
               "of a folder: name what no result needs (feature files, leftovers of killed processes); "
               "--clean=remove "
               "removes it")
      ->check(CLI::IsMember({"list", "remove"}));
  timbre::cli::add_unverified(app, trust.unverified);
  return timbre::cli::run_command(app, argc, argv, [&] {
    using namespace timbre;
    using namespace timbre::results;
    const auto text = [&]() -> std::string {
      if (!clean.empty()) return clean_folder(file, clean == "remove");
      if (std::filesystem::is_directory(file)) {
        for (const auto* option : {"--csv", "--config", "--all", "--card"})
          if (app.count(option) > 0)
            fail_request("{}: {} is for a result, not for a folder", printable(file), option);
        return study::describe(study::inventory(file));
      }
      if (csv.empty() && !config && !card) return describe_file(file, {.all = all}, trust);
      const auto record = read_result(file, false, trust);
      if (card) return exchange::model_card(record);
      if (csv.empty()) return record.config;
      return csv == "predictions" ? predictions_csv(record)
             : csv == "history"   ? history_csv(record)
                                  : splits_csv(record);
    }();
    // Whatever texts a file holds, none of them controls the terminal.
    const auto shown = printable_lines(text);
    std::fwrite(shown.data(), 1, shown.size(), stdout);
    return 0;
  });
}
