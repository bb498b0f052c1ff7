// evaluate RESULT --data SET: scores a finished network on another labelled set.
#include "run/evaluate.hpp"

#include <CLI/CLI.hpp>

#include "cli/command_line.hpp"
#include "cli/console.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "device/device.hpp"
#include "run/record.hpp"

int main(int argc, char** argv) {
  using namespace timbre;
  using namespace timbre::cli;
  CLI::App app{
      "Scores the network of a result on another labelled set: a folder <genre>/<clip>, a manifest (CSV), or "
      "a configuration, whose dataset is used. Labels are matched by name; clips of others are left out and "
      "counted.",
      "evaluate"};
  std::filesystem::path result, set, out;
  std::string device = "cpu";
  storage::Trust trust;
  run::RunOptions options;
  app.add_option("RESULT", result, "result.h5 of a run")->required();
  app.add_option("--data", set, "a folder, a manifest .csv, or a configuration .yaml")->required();
  app.add_option("-o,--output", out, "a result file of its own, which reports can hold");
  app.add_option("--device", device, "auto, cpu, cuda or cuda:N (default: cpu)");
  app.add_option("--threads", options.threads, "threads to use (default: one per core)")
      ->check(CLI::Range(1, 1024));
  add_unverified(app, trust.unverified);
  return run_command(app, argc, argv, [&] {
    heed_signals();
    const auto choice = device::choose(device);
    Console console;
    if (!choice.notice.empty()) console.line(choice.notice);
    const auto [record, unknown, clips] = run::evaluate_on(result, set, choice.name, trust, options, console);
    if (!unknown.empty())
      console.line(fmt::format("left out, since the network does not know their labels: {}", join(unknown)));
    console.line("whether the network has heard these clips in training is not known");
    run::show_scores(console, record);
    fmt::print("clip accuracy {:.1f}% of {} clips, segment accuracy {:.1f}% of {} segments\n",
               100 * record.test->clips.accuracy, clips, 100 * record.test->accuracy, record.test->rows());
    if (!out.empty()) {
      results::write_result(out, record);
      fmt::print("result: {}\n", out.string());
    }
    return 0;
  });
}
