// extract_features CONFIG: features alone, as one HDF5 file.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/command_line.hpp"
#include "cli/console.hpp"
#include "core/text.hpp"
#include "device/device.hpp"
#include "run/run.hpp"

int main(int argc, char** argv) {
  using namespace timbre;
  using namespace timbre::cli;
  using namespace timbre::run;
  CLI::App app{"Extracts the features that a configuration names, into one HDF5 file.", "extract_features"};
  std::filesystem::path config, out = "features.h5";
  std::vector<std::string> overrides;
  std::string device;
  RunOptions options;
  app.add_option("CONFIG", config, "the configuration, as configs/lstm.yaml")->required();
  app.add_option("--set", overrides, "key=value: replaces a value, as features.n_mfcc=20")
      ->allow_extra_args(false);
  app.add_option("--device", device, "auto, cpu or cuda");
  app.add_option("--threads", options.threads, "threads to use (default: one per core)")
      ->check(CLI::Range(1, 1024));
  app.add_option("-o,--output", out, "the file to write (default: features.h5)");
  return run_command(app, argc, argv, [&] {
    heed_signals();
    if (const auto ending = out.extension(); ending != ".h5" && ending != ".hdf5")
      fail_request("-o {}: features are an HDF5 file, so its name must end in .h5", printable(out.string()));
    if (!device.empty()) overrides.push_back("device=" + device);
    const auto plan = make_plan(load_run_config(config, overrides));
    const auto choice = device::choose(plan.config.device);
    ThreadPool pool(options.threads);
    Console console;
    if (!choice.notice.empty()) console.line(choice.notice);
    const auto table = prepare_plan_features(plan, options, pool, console);
    data::write_feature_file(out, table, plan.config.dataset, plan.config.features);
    for (const auto& bad : table.bad_files)
      console.line(fmt::format("skipped: {}: {}", printable(bad.path), bad.reason));
    std::printf("features: %s\n", out.c_str());
    return 0;
  });
}
