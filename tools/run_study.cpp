// run_study STUDY: all runs of a study that are not finished, then its report.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "cli/boards.hpp"
#include "cli/command_line.hpp"
#include "cli/explain.hpp"
#include "cli/slurm_flags.hpp"
#include "cli/study_view.hpp"
#include "core/shell_word.hpp"
#include "core/text.hpp"
#include "device/backend.hpp"
#include "pictures/genre_examples.hpp"
#include "report/report.hpp"
#include "report/selection.hpp"
#include "results/text_table.hpp"
#include "run/run_config.hpp"
#include "storage/atomic_file.hpp"
#include "study/plan.hpp"
#include "study/scheduler.hpp"
#include "study/study_config.hpp"

namespace {

using namespace timbre;
using namespace timbre::cli;
using namespace timbre::study;
namespace fs = std::filesystem;

/// "2/8": the second of eight tasks.
void read_task(const std::string& text, ScheduleOptions& options) {
  unsigned task = 0, tasks = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%u/%u%c", &task, &tasks, &rest) != 2 || task < 1 || task > tasks)
    fail_request("--task {}: is written as I/N, the task's number from 1 to N and N; as 2/8",
                 printable(text));
  options.task = task - 1, options.tasks = tasks;
}

/// "cuda:0,cuda:1": devices that runs go to. Returns the device of their configurations.
std::string read_devices(const std::vector<std::string>& names, bool on_cluster, ScheduleOptions& options) {
  if (names.size() == 1) return names.front();
  const auto text = printable(join(names, ","));
  if (on_cluster)
    fail_request(
        "--device {}: on a cluster a run sees the GPU that its job was given; --device cuda takes it", text);
  for (const auto& name : names) {
    if (std::ranges::find(options.devices, name) != options.devices.end())
      fail_request("--device {}: {} is named twice", text, printable(name));
    if (!name.starts_with("cuda:") || name.size() == 5 ||
        name.find_first_not_of("0123456789", 5) != name.npos)
      fail_request("--device {}: several devices are GPUs with their numbers, as cuda:0,cuda:1", text);
    options.devices.push_back(name);
  }
  return device::backend_of(options.devices.front());
}

/// "3,7": numbers of runs, as --list shows them.
std::set<std::size_t> read_numbers(const std::vector<std::size_t>& numbers) {
  std::set<std::size_t> out;
  for (const auto n : numbers) {
    if (n < 1) fail_request("--only: runs are numbered from 1");
    out.insert(n - 1);
  }
  return out;
}

/// What a plan has fixed.
void refuse_with_plan(const CLI::App& app, const fs::path& folder) {
  for (const auto* option : {"--set", "--seeds", "--device", "--out"})
    if (app.count(option) > 0)
      fail_request("{}: {}: the plan of this study is fixed; name the study's file instead",
                   printable(folder.string()), option);
}

/// What is told of the splits, each line once, with the runs it is about.
void list_splits(const Study& study, const ScheduleOptions& options) {
  std::vector<std::string> lines;
  std::map<std::string, std::vector<std::string>> runs_of;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < study.runs.size(); ++i) {
    if (!is_of_task(options, i)) continue;
    ++shown;
    for (const auto& line : study.runs[i].split) {
      auto& runs = runs_of[line];
      if (runs.empty()) lines.push_back(line);
      runs.push_back(std::to_string(i + 1));
    }
  }
  for (const auto& line : lines) {
    auto runs = runs_of[line];
    const auto count = runs.size();
    if (count > 8) runs.resize(8), runs.push_back("...");
    std::fputs(fmt::format("{}: {}\n",
                           count == shown ? "all runs" : (count == 1 ? "run " : "runs ") + join(runs, " "),
                           printable(line))
                   .c_str(),
               stdout);
  }
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
  list_splits(study, options);
  std::fputs(fmt::format("{} runs of {} configurations, {} finished; {}\n", shown, study.configurations,
                         finished, (options.folder / "runs").string())
                 .c_str(),
             stdout);
  return 0;
}

/// What has become of all runs of the study, of other tasks too; configuration by configuration.
struct Harvest {
  std::vector<fs::path> results;
  std::vector<report::Failure> failed;
  std::size_t unfinished = 0;
};

/// `failures`: of this process; those of other tasks are in the folders.
Harvest harvest(const Study& study, const ScheduleOptions& options,
                const std::map<std::size_t, std::string>& failures) {
  std::vector<std::size_t> order(study.runs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return study.runs[a].configuration < study.runs[b].configuration; });
  Harvest out;
  for (const auto i : order) {
    const auto folder = run_folder(options, study.runs[i]);
    if (const auto failed = failures.find(i); failed != failures.end()) {
      out.failed.push_back({study.runs[i].name, failed->second});
      continue;
    }
    switch (run_state(folder)) {
      case RunState::finished:
        out.results.push_back(folder / "result.h5");
        break;
      case RunState::failed:
        out.failed.push_back({study.runs[i].name, failure_of(folder)});
        break;
      default:
        ++out.unfinished;
    }
  }
  return out;
}

std::vector<report::Picture> examples(const Study& study) {
  std::vector<report::Picture> out;
  const auto& first = study.runs.front();
  for (auto& p :
       pictures::genre_examples(study.data[first.data], first.config.dataset, first.config.features))
    out.push_back({std::move(p.title), std::move(p.alt), std::move(p.svg)});
  return out;
}

/// What of the study validation has chosen, and is still sealed.
std::vector<ToScore> to_score(const Study& study, const ScheduleOptions& options,
                              const std::vector<fs::path>& results, const report::Options& wanted) {
  std::map<fs::path, std::size_t> runs;
  for (std::size_t i = 0; i < study.runs.size(); ++i)
    runs[run_folder(options, study.runs[i]) / "result.h5"] = i;
  std::vector<ToScore> out;
  for (const auto& chosen : report::chosen_runs(report::analyse(results, wanted)))
    if (chosen.sealed) out.push_back({runs.at(chosen.file), chosen.why});
  return out;
}

/// Two studies in one folder would write over each other's report.
void keep_name(const Study& study, const fs::path& folder) {
  const auto file = folder / "study";
  const auto name = first_line(storage::read_own_file(file).value_or(""));
  if (!name.empty() && name != study.name)
    fail_request("{}: holds the study {}, not {}; name another --out", printable(folder.string()),
                 printable(name), study.name);
  if (name.empty()) storage::write_file(file, study.name + "\n", storage::Links::replace);
}

/// The command as it may be typed again.
std::string command_line(int argc, char** argv) {
  std::string out = "run_study";
  for (int i = 1; i < argc; ++i) out += " " + shell_word(argv[i]);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Does the runs of a study that are not finished, then writes its report; the last line on stdout names "
      "it.",
      "run_study"};
  fs::path file, out;
  std::vector<std::string> overrides;
  std::vector<std::int64_t> seeds;
  std::string task;
  std::vector<std::string> devices;
  ScheduleOptions options;
  bool only_list = false, status = false, cancels = false, retry = false, features_only = false,
       report_only = false, tensorboard = false;
  std::vector<std::size_t> only;
  auto* study_file =
      app.add_option("STUDY", file,
                     "the study, as experiments/regularisation.yaml; or the folder of one that was submitted")
          ->required();
  app.add_option("--set", overrides, "key=value: a value for every run, as training.epochs=20")
      ->allow_extra_args(false);
  app.add_option("--seeds", seeds, "seeds instead of the study's, as 0,1,2")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber);
  app.add_option("--device", devices, "auto, cpu, cuda or cuda:N; or several GPUs, as cuda:0,cuda:1")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--jobs", options.jobs,
                 "runs side by side, on each of several GPUs (default: the study's, else one per core)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--threads", options.threads,
                 "threads of each run (default: the cores shared among the jobs)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--out", out, "the study's folder (default: runs/<study>)");
  app.add_flag("--list", only_list, "show the runs and what has become of them; do nothing");
  app.add_option("--task", task, "I/N: do every N-th run, beginning with the I-th; for a job array");
  app.add_flag("--status", status,
               "show what has become of the runs, and where they are at work; do nothing");
  app.add_flag("--retry-failed", retry, "do again those runs alone that failed");
  app.add_option("--only", only, "do these runs alone, as 3,7: numbers as --list shows them")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_flag("--features-only", features_only, "extract the features, and do no run");
  app.add_flag("--report-only", report_only, "write the report of what is finished, and do no run");
  app.add_flag("--cancel", cancels, "end the study's jobs on the cluster");
  app.add_flag("--tensorboard", tensorboard,
               "write tensorboard/ beside the report, for tensorboard --logdir");
  app.add_option("--checkpoint-seconds", options.checkpoint_seconds,
                 "time between a run's checkpoints (default: 60)")
      ->check(CLI::NonNegativeNumber);
  app.add_option_function<double>(
         "--feature-memory", [&](double megabytes) { options.feature_bytes = std::int64_t(megabytes * 1e6); },
         "MB of features to hold in memory; more stay on disk (default: half of what is free)")
      ->check(CLI::NonNegativeNumber);
  const SlurmFlags slurm(app);
  Explain explain(app, *study_file);
  return run_command(app, argc, argv, [&] {
    if (explain.asked()) {
      explain.print(describe_study_config(), "Timbre: a study of run_study", {run::describe_run_config()});
      return 0;
    }
    heed_signals();
    if (!devices.empty()) overrides.push_back("device=" + read_devices(devices, slurm.asked(), options));
    if (!task.empty()) read_task(task, options);
    if (!only.empty()) options.only = read_numbers(only);
    const bool planned = fs::is_directory(file);
    if (planned) refuse_with_plan(app, file);
    const auto study = [&] {
      Console console;
      if (!planned) return load_study(file, overrides, seeds, options.runs, options.threads, &console);
      // To look at runs their names are enough.
      const bool looks = status || cancels || only_list;
      const auto wanted = looks ? std::set<std::size_t>{} : options.only;
      return load_plan(file, wanted, options.runs, options.threads, console);
    }();
    if (options.only && *options.only->rbegin() >= study.runs.size())
      fail_request("--only {}: the study has {} runs", *options.only->rbegin() + 1, study.runs.size());
    options.folder = planned ? file : out.empty() ? options.runs / study.name : out;
    if (only_list) return list(study, options);
    if (status) return show_status(study, options);
    if (cancels) return cancel_study(options);
    if (slurm.asked()) {
      std::vector<std::string> passed;
      for (const auto* option : {"--checkpoint-seconds", "--feature-memory"})
        if (app.count(option) > 0) passed.insert(passed.end(), {option, app[option]->results().front()});
      if (!slurm.print()) keep_name(study, options.folder);
      return submit_study(study, options, slurm, retry, std::move(passed));
    }
    if (retry) {
      std::set<std::size_t> failed;
      for (std::size_t i = 0; i < study.runs.size(); ++i)
        if (is_of_task(options, i) && run_state(run_folder(options, study.runs[i])) == RunState::failed)
          failed.insert(i);
      options.only = std::move(failed);
    }

    Console console;
    keep_name(study, options.folder);
    if (features_only) {
      extract_features(study, options, console);
      return 0;
    }
    StudyView view(console, options);
    const auto outcome = report_only ? Schedule{} : run_all(study, options, console, view);
    const auto done = harvest(study, options, outcome.failed);
    // Says what has become of the runs; the exit status.
    const auto conclude = [&](std::size_t finished, std::size_t diverged, std::size_t failed) {
      auto summary = fmt::format("{} of {} runs finished", finished, study.runs.size());
      if (diverged > 0) summary += fmt::format(", {} of them diverged", diverged);
      if (failed > 0) summary += fmt::format(", {} failed", failed);
      console.line(summary);
      const int status = failed == 0 && diverged == 0 ? 0 : 1;
      if (done.unfinished > 0 && study.stop_on_error && status != 0)
        console.line("stopped at a run that failed (on_error: stop)");
      return status;
    };
    if (!only.empty() && !report_only)
      return conclude(done.results.size(), outcome.diverged, outcome.failed.size());
    if (done.unfinished > 0 && !report_only && (!task.empty() || options.only || outcome.left > 0)) {
      const int status = conclude(done.results.size(), outcome.diverged, done.failed.size());
      console.line(fmt::format(
          "{} are {}", done.unfinished,
          retry ? "not finished" : "left to other tasks; the one that ends last writes the report"));
      return status;
    }
    if (done.results.empty()) {
      conclude(0, 0, done.failed.size());
      fail_request("{}: no run has finished, so there is nothing to report",
                   printable(options.folder.string()));
    }
    const auto is_base = [](const StudyRun& run) { return run.base; };
    std::optional<std::vector<fs::path>> references;
    if (std::any_of(study.runs.begin(), study.runs.end(), is_base)) {
      references.emplace();
      for (const auto& run : study.runs)
        if (run.base) references->push_back(run_folder(options, run) / "result.h5");
    }
    const report::Options wanted{.title = study.name,
                                 .command = command_line(argc, argv),
                                 .axes = study.axes,
                                 .failed = done.failed,
                                 .planned = std::int64_t(study.runs.size()),
                                 .examples = examples(study),
                                 .own_folder = true,
                                 .references = references};
    // A choice before all runs have ended would look at test parts too early.
    const bool complete = !report_only || done.unfinished == 0;
    if (!complete)
      console.line(fmt::format("{} are not finished; the report is of the others", done.unfinished));
    if (study.sealed && complete)
      score_chosen(study, to_score(study, options, done.results, wanted), options, console);
    const auto written = report::write_report(done.results, options.folder / "report.html", wanted);
    if (tensorboard)
      console.line(
          fmt::format("tensorboard --logdir {}",
                      shell_word(write_study_boards(done.results, options.folder, wanted).string())));
    for (const auto& file : written.unreadable)  // of another task: its own do it again
      console.line(fmt::format("{}: {}", file.name, file.message));
    const int status =
        conclude(written.runs, written.diverged, done.failed.size() + written.unreadable.size());
    std::printf("report: %s\n", written.html.c_str());
    return complete ? status : 1;
  });
}
