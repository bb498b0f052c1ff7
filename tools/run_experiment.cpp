// run_experiment CONFIG: one run, from songs to result.h5.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/boards.hpp"
#include "cli/command_line.hpp"
#include "cli/console.hpp"
#include "cli/explain.hpp"
#include "core/shell_word.hpp"
#include "run/device_check.hpp"
#include "run/guard.hpp"
#include "run/run.hpp"

int main(int argc, char** argv) {
  using namespace timbre;
  using namespace timbre::cli;
  using namespace timbre::run;
  CLI::App app{
      "Trains and evaluates one model as a YAML file describes it; the last line on stdout names the result.",
      "run_experiment"};
  std::filesystem::path path, out;
  std::vector<std::string> overrides;
  std::string device;
  RunOptions options;
  bool dry_run = false, tensorboard = false;
  auto* file = app.add_option("CONFIG", path, "the configuration, as configs/lstm.yaml")->required();
  app.add_option("--set", overrides, "key=value: replaces a value, as model[0].lstm.units=64")
      ->allow_extra_args(false);
  app.add_option(
      "--device", device,
      "auto, cpu, cuda or cuda:N; check compares the first steps on cpu and cuda, and trains nothing");
  app.add_option("--threads", options.threads, "threads to use (default: one per core)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--out", out, "the run's folder (default: runs/<experiment>/<key>)");
  app.add_option("--checkpoint-seconds", options.checkpoint_seconds,
                 "time between checkpoints (default: 60; 0: after every step)")
      ->check(CLI::NonNegativeNumber);
  app.add_option_function<double>(
         "--feature-memory", [&](double megabytes) { options.feature_bytes = std::int64_t(megabytes * 1e6); },
         "MB of features to hold in memory; more stay on disk (default: half of what is free)")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--force", options.force, "run again what is finished");
  app.add_flag("--restart", options.restart, "begin anew instead of going on from a checkpoint");
  app.add_flag("--dry-run", dry_run,
               "show the resolved configuration, the model and the split; train nothing");
  app.add_flag("--tensorboard", tensorboard,
               "write tensorboard/ into the run's folder, for tensorboard --logdir");
  Explain explain(app, *file);
  return run_command(app, argc, argv, [&] {
    if (explain.asked()) {
      explain.print(describe_run_config(), "Timbre: a configuration of run_experiment");
      return 0;
    }
    heed_signals();
    const bool check = device == "check";
    if (!device.empty() && !check) overrides.push_back("device=" + device);
    auto plan = make_plan(load_run_config(path, overrides));
    Console console;
    if (dry_run) {
      ThreadPool pool(options.threads);
      const auto survey = survey_of(plan, options.runs, pool, console);
      std::fputs(describe_plan(plan, *survey).c_str(), stdout);
      return 0;
    }
    if (check) {
      const auto compared = compare_devices(plan, options, console);
      std::fputs(describe(compared.report).c_str(), stdout);
      compared.require_agreement();
      std::printf("cpu and %s agree over %zu steps\n", compared.device.c_str(), compared.steps);
      return 0;
    }
    if (!out.empty()) options.folder = out;
    const auto outcome = execute(plan, options, console);
    if (tensorboard)
      console.line(
          fmt::format("tensorboard --logdir {}", shell_word(write_run_board(outcome.result).string())));
    if (outcome.diverged) throw Error(outcome.message);
    std::printf("result: %s\n", outcome.result.c_str());
    return 0;
  });
}
