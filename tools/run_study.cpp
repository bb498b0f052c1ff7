// run_study STUDY: all runs of a study that are not finished.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>

#include "core/text.hpp"
#include "experiment/command_line.hpp"
#include "experiment/scheduler.hpp"
#include "results/text_table.hpp"
#include "storage/atomic_file.hpp"

namespace {

using namespace timbre;
using namespace timbre::experiment;
namespace fs = std::filesystem;

/// "2/8": the second of eight tasks.
void read_task(const std::string& text, ScheduleOptions& options) {
  unsigned task = 0, tasks = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%u/%u%c", &task, &tasks, &rest) != 2 || task < 1 || task > tasks)
    fail_request("--task {}: is written as I/N, the task's number from 1 to N and N; as 2/8", printable(text));
  options.task = task - 1, options.tasks = tasks;
}

int list(const Study& study, const ScheduleOptions& options) {
  results::TextTable table({"run", "state", "name"}, 3);
  std::size_t shown = 0, finished = 0;
  for (std::size_t i = 0; i < study.runs.size(); ++i) {
    if (!is_of_task(options, i)) continue;
    const auto state = run_state(run_folder(options, study.runs[i]));
    ++shown, finished += state == RunState::finished;
    table.row({std::to_string(i + 1), state_text(state), study.runs[i].name});
  }
  std::fputs(table.str().c_str(), stdout);
  std::fputs(fmt::format("{} runs of {} configurations, {} finished; {}\n", shown, study.configurations, finished,
                         (options.folder / "runs").string()).c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Does the runs of a study that are not finished, then writes its report; the last line on stdout names it.", "run_study"};
  fs::path file, out;
  std::vector<std::string> overrides;
  std::vector<std::int64_t> seeds;
  std::string device, task;
  ScheduleOptions options;
  bool only_list = false;
  app.add_option("STUDY", file, "the study, as experiments/regularisation.yaml")->required();
  app.add_option("--set", overrides, "key=value: a value for every run, as training.epochs=20")->allow_extra_args(false);
  app.add_option("--seeds", seeds, "seeds instead of the study's, as 0,1,2")->delimiter(',')->check(CLI::NonNegativeNumber);
  app.add_option("--device", device, "auto, cpu or cuda");
  app.add_option("--jobs", options.jobs, "runs side by side (default: the study's, else one per core)")->check(CLI::Range(1, 1024));
  app.add_option("--threads", options.threads, "threads of each run (default: the cores shared among the jobs)")->check(CLI::Range(1, 1024));
  app.add_option("--out", out, "the study's folder (default: runs/<study>)");
  app.add_flag("--list", only_list, "show the runs and what has become of them; do nothing");
  app.add_option("--task", task, "I/N: do every N-th run, beginning with the I-th; for a job array");
  app.add_option("--checkpoint-seconds", options.checkpoint_seconds, "time between a run's checkpoints (default: 60)")->check(CLI::NonNegativeNumber);
  app.add_option_function<double>("--feature-memory", [&](double megabytes) { options.feature_bytes = std::int64_t(megabytes * 1e6); },
                                  "MB of features to hold in memory; more stay on disk (default: half of what is free)")
      ->check(CLI::NonNegativeNumber);
  return run_command(app, argc, argv, [&] {
    stop_signal();
    if (!device.empty()) overrides.push_back("device=" + device);
    if (!task.empty()) read_task(task, options);
    const auto study = load_study(file, overrides, seeds);
    options.folder = out.empty() ? options.runs / study.name : out;
    if (only_list) return list(study, options);

    // Tasks share the folder; each run has a lock of its own.
    std::optional<storage::FolderLock> lock;
    if (task.empty()) lock.emplace(options.folder);
    Console console;
    run_all(study, options, console);

    std::size_t unfinished = 0, failed = 0;
    for (const auto& run : study.runs) {
      const auto state = run_state(run_folder(options, run));
      failed += state == RunState::failed;
      unfinished += state == RunState::absent || state == RunState::interrupted;
    }
    console.line(fmt::format("{} runs: {} failed, {} not finished", study.runs.size(), failed, unfinished));
    return failed > 0 ? 1 : 0;
  });
}
