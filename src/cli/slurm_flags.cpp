#include "cli/slurm_flags.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

#include "core/text.hpp"
#include "results/text_table.hpp"
#include "study/cluster/slurm.hpp"
#include "study/overview.hpp"
#include "study/plan.hpp"

namespace timbre::cli {

namespace fs = std::filesystem;
using namespace study;

SlurmFlags::SlurmFlags(CLI::App& app) {
  const auto* group = "On a cluster (Slurm)";
  app.add_flag("--slurm{submit}", mode_,
               "submit the runs that are not finished, and return; --slurm=print shows the scripts")
      ->check(CLI::IsMember({"submit", "print"}))
      ->group(group);
  const auto add = [&](const char* name, auto& value, const char* text) {
    return app.add_option(name, value, text)->group(group);
  };
  add("--partition", partition_, "the partition");
  add("--account", account_, "the account that is charged");
  add("--qos", qos_, "the quality of service");
  add("--time", time_, "limit of each job, as 4:00:00; a task that reaches it goes on from its checkpoint");
  add("--gpus", gpus_, "GPUs of a task");
  add("--cpus", cpus_, "cores of a task, shared by its runs");
  add("--mem", mem_, "memory of a task, as 8G");
  add("--constraint", constraint_, "which nodes may be taken, as avx512");
  add("--setup", setup_, "a line of the shell before the program; may be repeated")->allow_extra_args(false);
  add("--sbatch", sbatch_, "KEY=VALUE: another option of sbatch; may be repeated")->allow_extra_args(false);
  add("--at-once", at_once_, "tasks that run at the same time");
  add("--runs-per-task", runs_per_task_, "runs of a task, side by side");
  add("--grace", grace_, "seconds before the limit at which runs are asked to stop (default: 120)");
  add("--max-requeues", max_requeues_, "how often a task that was stopped begins again (default: 3)");
}

SlurmOptions SlurmFlags::over(const std::optional<SlurmOptions>& block) const {
  auto out = block.value_or(SlurmOptions{});
  const auto put = [](auto& target, const auto& value) {
    if (value) target = *value;
  };
  put(out.partition, partition_), put(out.account, account_), put(out.qos, qos_), put(out.time, time_);
  put(out.mem, mem_), put(out.constraint, constraint_), put(out.gpus, gpus_), put(out.cpus, cpus_);
  put(out.at_once, at_once_), put(out.runs_per_task, runs_per_task_), put(out.grace, grace_);
  put(out.max_requeues, max_requeues_);
  if (!setup_.empty()) out.setup = setup_;
  if (!sbatch_.empty()) out.sbatch = sbatch_;
  check_slurm(out);
  return out;
}

namespace {

void say(const std::string& line) { std::fputs((line + "\n").c_str(), stdout); }

std::string counted_runs(std::size_t n) { return fmt::format("{} run{}", n, n == 1 ? "" : "s"); }

void print_scripts(const Study& study, const SlurmRequest& request) {
  std::int64_t array_size = 1001;
  try {
    array_size = largest_array();
  } catch (const Error& e) {
    std::fputs(fmt::format("run_study: {}; arrays are cut at 1001 tasks, as is usual\n", e.what()).c_str(),
               stderr);
  }
  const auto scripts = make_scripts(study, request, array_size);
  for (const auto& script : scripts.all)
    say(fmt::format("==> {} <==\n{}", (request.folder / "slurm" / script.name).string(), script.text));
  for (const auto& [name, text] : scripts.files)
    say(fmt::format("==> {} <==\n{}", (request.folder / "slurm" / name).string(), text));
}

}  // namespace

int submit_study(const Study& study, const ScheduleOptions& options, const SlurmFlags& flags, bool failed,
                 std::vector<std::string> passed) {
  SlurmRequest request{.folder = options.folder,
                       .program = fs::read_symlink("/proc/self/exe"),
                       .options = std::move(passed),
                       .slurm = flags.over(study.slurm),
                       .runs = {}};
  std::size_t finished = 0, left = 0;
  for (std::size_t i = 0; i < study.runs.size(); ++i) {
    const auto state = run_state(run_folder(options, study.runs[i]));
    finished += state == RunState::finished;
    left += state == RunState::failed && !failed;
    if (failed ? state == RunState::failed : state == RunState::absent || state == RunState::interrupted)
      request.runs.push_back(i);
  }
  if (left > 0)
    say(fmt::format("{} failed and {} left; --retry-failed submits them", counted_runs(left),
                    left == 1 ? "is" : "are"));
  if (request.runs.empty()) {
    say(fmt::format("{} of {} runs are finished; there is nothing to submit", finished, study.runs.size()));
    return 0;
  }
  if (flags.print()) {
    print_scripts(study, request);
    return 0;
  }
  if (const auto living = living_jobs(options.folder); !living.empty())
    fail_request("{}: its jobs {} have not ended; --status shows them, --cancel ends them",
                 printable(options.folder.string()), join(living));
  largest_array();  // tells at once where there is no Slurm
  fs::create_directories(options.folder);
  auto planned = study;
  planned.slurm = request.slurm;  // flags, too: the folder can be submitted again
  save_plan(planned, options.folder);
  const auto jobs = submit(study, request);
  say(fmt::format("{} submitted: jobs {}", counted_runs(request.runs.size()), join(jobs)));
  const auto again = fmt::format("run_study {}", options.folder.string());
  say(fmt::format("{0} --status shows them, {0} --cancel ends them; scripts and logs are in {1}", again,
                  (options.folder / "slurm").string()));
  return 0;
}

int show_status(const Study& study, const ScheduleOptions& options) {
  const auto all = overview(study, options);
  std::map<std::string, std::size_t> counts;
  std::map<std::string, std::size_t> instruction_sets;
  results::TextTable table({"run", "state", "what", "name"}, 4);
  std::size_t rows = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& run = all[i];
    ++counts[run.state];
    if (run.status && !run.status->isa.empty()) ++instruction_sets[run.status->isa];
    if (run.state == "finished" || run.state == "waiting") continue;
    table.row({std::to_string(i + 1), run.state, run.detail, study.runs[i].name}), ++rows;
  }
  if (rows > 0) std::fputs(table.str().c_str(), stdout);
  std::vector<std::string> parts;
  for (const auto* state : {"finished", "diverged", "failed", "running", "stopped", "killed", "waiting"})
    if (const auto n = counts.find(state); n != counts.end())
      parts.push_back(fmt::format("{} {}", n->second, state));
  if (instruction_sets.size() > 1) {
    std::vector<std::string> sets;
    for (const auto& [name, n] : instruction_sets) sets.push_back(fmt::format("{} ({})", name, n));
    say(fmt::format(
        "mixed: runs were done with different instruction sets: {}; --constraint keeps them to nodes of one "
        "kind, whose results are the same to the last bit",
        join(sets)));
  }
  say(fmt::format("{}: {} runs: {}", study.name, all.size(), join(parts)));
  return 0;
}

int cancel_study(const ScheduleOptions& options) {
  const auto jobs = cancel(options.folder);
  say(jobs.empty() ? "no job of this study is in the queue" : "cancelled: jobs " + join(jobs));
  return 0;
}

}  // namespace timbre::cli
