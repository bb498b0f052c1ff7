// import_model FILE -o RESULT: a network of Keras as a result that predict and evaluate use.
#include <CLI/CLI.hpp>

#include "cli/command_line.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "run/imported.hpp"

int main(int argc, char** argv) {
  using namespace timbre;
  CLI::App app{
      "Takes a network that Keras 2 or 3 saved (.h5 or .keras) as a result file, which predict and evaluate "
      "use. What Timbre "
      "cannot take of it is named with its place, and nothing is written.",
      "import_model"};
  std::filesystem::path file, out, config;
  run::ImportOptions options;
  app.add_option("FILE", file, "a whole model: .keras, or .h5")->required();
  app.add_option("-o,--output", out, "the result file to write")->required();
  app.add_option(
         "--labels", options.labels,
         "the genres in the order of the network's outputs, separated by commas (default: those in the file)")
      ->delimiter(',')
      ->allow_extra_args(false);
  auto* config_option = app.add_option("--config", config,
                                       "a configuration whose features, and length of segments, are those "
                                       "that the network was trained on (default: what "
                                       "the file says, or a guess from the shape of its input)");
  cli::add_unverified(app, options.trust.unverified);
  return cli::run_command(app, argc, argv, [&] {
    if (config_option->count() > 0) options.config = config;
    const auto [record, notes] = run::import_keras(file, options);
    for (const auto& note : notes) fmt::print(stderr, "import_model: {}\n", note);
    results::write_result(out, record);
    fmt::print("result: {}\n", printable(out.string()));
    return 0;
  });
}
