// reproduce RESULT: makes a result again from its own record, and compares.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/command_line.hpp"
#include "cli/console.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "device/algorithms.hpp"
#include "results/compare.hpp"
#include "run/run.hpp"

namespace {

using namespace timbre;
using namespace timbre::cli;
using namespace timbre::run;
namespace fs = std::filesystem;

RunConfig config_of(const results::RunRecord& record, const std::string& file,
                    const std::vector<std::string>& overrides, const std::string& device) {
  auto root = config::parse_text(record.config, file + " (its configuration)", ".");
  for (const auto& assignment : overrides) apply_run_override(root, assignment);
  root.set("device", config::Node::plain(device.empty() ? record.device : device), {"--device", "."});
  return parse_run_config(std::move(root));
}

/// Ways to compute that are not the usual ones are the record's, and not the environment's.
void take_algorithms_of(const results::RunRecord& record) {
  std::string algorithms;
  for (const auto& [name, text] : record.environment)
    if (name == "algorithms") algorithms = text;
  device::apply_algorithm_settings(algorithms);
  if (const auto unusual = device::describe(device::algorithm_settings(), false); !unusual.empty())
    std::fprintf(stderr, "as the record has it: %s\n", unusual.c_str());
}

/// Whether the two are the same to the last bit; says what they have, or how they differ.
bool tell(const results::RunRecord& record, const results::RunRecord& again) {
  const auto different = results::differences(record, again);
  if (different.empty()) {
    const auto rows = [](const auto& part) { return part ? part->rows() : 0; };
    std::printf("the same to the last bit: %lld epochs, %s parameters, predictions of %lld segments\n",
                static_cast<long long>(record.epochs_run), grouped(record.parameters).c_str(),
                static_cast<long long>(rows(record.validation) + rows(record.test)));
    return true;
  }
  for (const auto& line : different) std::printf("differs: %s\n", printable(line).c_str());
  const auto machine = results::environment_differences(record, again);
  for (const auto& line : machine) std::printf("made elsewhere: %s\n", printable(line).c_str());
  if (machine.empty()) std::puts("made on a machine and with a version like this");
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Makes a result again from its own record, and tells whether it is the same to the last bit; where it "
      "is not, how it differs, and in what machine and version. Exit status: 0 the same, 1 not.",
      "reproduce"};
  fs::path file, out;
  std::vector<std::string> overrides;
  std::string device;
  storage::Trust trust;
  RunOptions options;
  app.add_option("RESULT", file, "a result file")->required();
  app.add_option("--set", overrides, "key=value: where the songs are now, as dataset.path=songs")
      ->allow_extra_args(false);
  app.add_option("--device", device, "auto, cpu, cuda or cuda:N (default: the one that made it)");
  app.add_option("--threads", options.threads, "threads to use (default: one per core); they change no bit")
      ->check(CLI::Range(1, 1024));
  app.add_option("--out", out, "the new run's folder (default: runs/<experiment>/<key>-again)");
  add_unverified(app, trust.unverified);
  return run_command(app, argc, argv, [&] {
    heed_signals();
    const auto record = results::read_result(file, true, trust);
    if (record.key.empty() || record.key.find_first_not_of("0123456789abcdef") != record.key.npos)
      fail_request("{}: has no key to compare with", printable(file.string()));
    if (record.status == "interrupted")
      fail_request("{}: was interrupted; there is no end to compare with", printable(file.string()));
    if (record.status == "imported")
      fail_request("{}: was trained elsewhere, and imported; it cannot be made again",
                   printable(file.string()));
    take_algorithms_of(record);
    const auto plan = make_plan(config_of(record, printable(file.string()), overrides, device));
    options.folder = out.empty() ? options.runs / plan.config.experiment / (record.key + "-again") : out;
    {
      ThreadPool pool(options.threads);
      Console console;
      options.features =
          std::make_shared<const data::FeatureSet>(load_plan_features(plan, options, pool, console));
    }
    if (const auto key = run_key(plan, *options.features); key != record.key)
      fail(
          "{}: cannot be made again from what is here: the songs, or settings given with --set, are not the "
          "record's (key {}, now {})",
          printable(file.string()), record.key, key);
    options.force = !fs::exists(*options.folder / "checkpoint.h5");  // one that was interrupted goes on
    options.by = "reproduce", options.why = "the run made again";
    options.sealed = record.validation && !record.test;  // what was not looked at stays so
    Console console;
    const auto outcome = execute(plan, options, console);
    const bool same = tell(record, results::read_result(outcome.result, true, storage::own_file));
    std::printf("result: %s\n", outcome.result.c_str());
    return same ? 0 : 1;
  });
}
