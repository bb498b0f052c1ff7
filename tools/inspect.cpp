// inspect FILE: what is in a result or feature file, as a person would read it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "cli/command_line.hpp"
#include "core/text.hpp"
#include "exchange/model_card.hpp"
#include "results/describe.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Shows what is in a result or feature file.", "inspect"};
  std::string file;
  bool config = false, all = false, card = false;
  timbre::storage::Trust trust;
  app.add_option("FILE", file, "a result (result.h5) or features (features.h5)")->required();
  app.add_flag("--config", config, "print the run's resolved configuration instead, as YAML that runs again");
  app.add_flag("--card", card,
               "a model card instead, as Markdown: data, split, figures, what was not tested");
  app.add_flag("--all", all, "every epoch and every bad file, not a selection");
  timbre::cli::add_unverified(app, trust.unverified);
  return timbre::cli::run_command(app, argc, argv, [&] {
    using namespace timbre::results;
    // Whatever texts a file holds, none of them controls the terminal.
    const auto shown = [&] {
      if (card) return timbre::exchange::model_card(read_result(file, false, trust));
      return config ? read_result(file, false, trust).config : describe_file(file, {.all = all}, trust);
    }();
    const auto text = timbre::printable_lines(shown);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
  });
}
