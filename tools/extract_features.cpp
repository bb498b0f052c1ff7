// extract_features CONFIG: features alone, as one file: HDF5, or what others read.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/command_line.hpp"
#include "cli/console.hpp"
#include "core/text.hpp"
#include "data/feature_formats.hpp"
#include "device/device.hpp"
#include "run/run.hpp"

int main(int argc, char** argv) {
  using namespace timbre;
  using namespace timbre::cli;
  using namespace timbre::run;
  CLI::App app{"Extracts the features that a configuration names, into one file: HDF5, NPZ, CSV or JSON.",
               "extract_features"};
  std::filesystem::path config, out;
  std::vector<std::string> overrides;
  std::string device, format;
  RunOptions options;
  app.add_option("CONFIG", config, "the configuration, as configs/lstm.yaml")->required();
  app.add_option("--set", overrides, "key=value: replaces a value, as features.n_mfcc=20")
      ->allow_extra_args(false);
  app.add_option("--device", device, "auto, cpu, cuda or cuda:N");
  app.add_option("--threads", options.threads, "threads to use (default: one per core)")
      ->check(CLI::Range(1, 1024));
  app.add_option("-o,--output", out, "the file to write (default: features.h5, or as --format says)");
  app.add_option("--format", format,
                 "h5, npz (NumPy), csv (a row a segment) or json (as the original wrote it); default: by the "
                 "ending of -o")
      ->check(CLI::IsMember({"h5", "npz", "csv", "json"}));
  return run_command(app, argc, argv, [&] {
    heed_signals();
    if (out.empty()) out = "features." + (format.empty() ? std::string("h5") : format);
    auto ending = out.extension().string();
    if (ending == ".hdf5") ending = ".h5";
    if (ending != ".h5" && ending != ".npz" && ending != ".csv" && ending != ".json")
      fail_request("-o {}: its name must end in .h5, .npz, .csv or .json", printable(out.string()));
    if (format.empty()) format = ending.substr(1);
    if (ending != "." + format)
      fail_request("-o {}: --format {} wants a name that ends in .{}", printable(out.string()), format,
                   format);
    if (!device.empty()) overrides.push_back("device=" + device);
    const auto plan = make_plan(load_run_config(config, overrides));
    const auto choice = device::choose(plan.config.device);
    ThreadPool pool(options.threads);
    Console console;
    if (!choice.notice.empty()) console.line(choice.notice);
    const auto table = prepare_plan_features(plan, options, pool, console);
    if (format == "h5")
      data::write_feature_file(out, table, plan.config.dataset, plan.config.features);
    else
      data::write_feature_table(out, format, table, plan.config.features);
    for (const auto& bad : table.bad_files)
      console.line(fmt::format("skipped: {}: {}", printable(bad.path), bad.reason));
    std::printf("features: %s\n", out.c_str());
    return 0;
  });
}
