#include "study/cluster/slurm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "core/shell_word.hpp"
#include "core/text.hpp"
#include "storage/atomic_file.hpp"
#include "study/cluster/shell.hpp"

namespace timbre::study {

namespace fs = std::filesystem;

namespace {

fs::path slurm_folder(const fs::path& folder) { return folder / "slurm"; }

/// A path as a line #SBATCH takes it: in quotes, where % stands for nothing.
std::string sbatch_path(const fs::path& path) {
  const auto text = path.string();
  if (text.find_first_of("\"\\\n") != text.npos)
    fail_request("{}: sbatch takes no path with a quote, a backslash or a line end", printable(text));
  std::string out;
  for (const char c : text) out += c == '%' ? "%%" : std::string(1, c);
  return '"' + out + '"';
}

struct Job {
  std::string name, log, array, command, runs;  // array: "0-10%4"; runs: lines that set the folders
};

std::string header(const Study& study, const SlurmRequest& request, const Job& job) {
  const auto& s = request.slurm;
  std::string out = "#!/bin/bash\n";
  const auto line = [&](const std::string& text) { out += "#SBATCH --" + text + "\n"; };
  line("job-name=" + study.name + "-" + job.name);
  auto log = sbatch_path(fs::absolute(slurm_folder(request.folder)).lexically_normal() / "log" / "");
  log.insert(log.size() - 1, job.log);
  line("output=" + log);
  line("chdir=" + sbatch_path(fs::current_path()));
  line("open-mode=append"), line("requeue"), line(fmt::format("signal=USR2@{}", s.grace)), line("ntasks=1");
  if (!job.array.empty()) line("array=" + job.array);
  if (s.partition) line("partition=" + *s.partition);
  if (s.account) line("account=" + *s.account);
  if (s.qos) line("qos=" + *s.qos);
  if (s.time) line("time=" + *s.time);
  if (s.mem) line("mem=" + *s.mem);
  if (s.constraint) line("constraint=" + *s.constraint);
  if (s.gpus) line(fmt::format("gpus={}", *s.gpus));
  line(fmt::format("cpus-per-task={}", s.cpus.value_or(s.runs_per_task)));
  for (const auto& more : s.sbatch) line(more);
  return out;
}

std::string script(const Study& study, const SlurmRequest& request, const Job& job) {
  const auto& s = request.slurm;
  const int cpus = s.cpus.value_or(s.runs_per_task);
  auto out = header(study, request, job);
  out += "# Written by run_study --slurm.\n";
  out += "folder=" + shell_word(fs::absolute(request.folder).lexically_normal().string()) + "\n";
  out += job.runs;
  for (const auto& line : s.setup) out += line + "\n";
  out += R"(
# srun passes signals on to the program, which writes a checkpoint and ends. This script waits for that.
trap : TERM USR1 USR2 HUP
job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
job=${job:-$SLURM_JOB_ID}
end=$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%e 2>/dev/null)
export TIMBRE_JOB_END=$(date --date="$end" +%s 2>/dev/null)
)";
  out += fmt::format("srun --ntasks=1 --cpus-per-task={} {} \"$folder\" {}", cpus,
                     shell_word(request.program.string()), job.command);
  for (const auto& option : request.options) out += " " + shell_word(option);
  out += fmt::format(R"(
status=$?
for run in $runs; do echo "$job ${{SLURM_RESTART_COUNT:-0}} $status" >>"$folder/runs/$run/srun"; done

# Stopped or killed: begins again, as long as Slurm itself says that the job was not cancelled.
state=$(scontrol show job "$SLURM_JOB_ID" 2>/dev/null | grep --only-matching 'JobState=[A-Z]* Reason=[A-Za-z]*')
if ((status > 128 && ${{SLURM_RESTART_COUNT:-0}} < {})) && [[ ! -e $folder/slurm/cancelled ]] &&
  [[ $state == *=RUNNING* || $state == *=TimeLimit ]]; then
  scontrol requeue "$job"
fi
exit "$status"
)",
                     s.max_requeues);
  return out;
}

/// Runs in tasks, `each` at a time: of each task its line.
std::vector<std::string> task_lines(const Study& study, const std::vector<std::size_t>& runs,
                                    std::size_t each) {
  std::vector<std::string> out;
  for (std::size_t first = 0; first < runs.size(); first += each) {
    std::vector<std::string> numbers, folders;
    for (auto i = first; i < std::min(first + each, runs.size()); ++i)
      numbers.push_back(std::to_string(runs[i] + 1)), folders.push_back(study.runs[runs[i]].folder);
    out.push_back(join(numbers, ",") + " " + join(folders, " ") + "\n");
  }
  return out;
}

std::string name_of(std::size_t array) { return fmt::format("runs-{}", array + 1); }

/// What a cluster refused, in words that name the flag.
[[noreturn]] void refuse(const std::string& said, const SlurmOptions& s) {
  const auto has = [&](std::string_view words) { return said.find(words) != said.npos; };
  auto last = said;
  while (!last.empty() && last.back() == '\n') last.pop_back();
  if (const auto end = last.rfind('\n'); end != last.npos) last.erase(0, end + 1);
  const auto reason = printable(last);
  if (has("invalid partition") || has("Invalid partition")) {
    auto known = run_command({"sinfo", "--noheader", "--format=%R"}).out;
    std::replace(known.begin(), known.end(), '\n', ' ');
    fail_request("--partition {}: the cluster has no such partition; it has {}", s.partition.value_or("?"),
                 printable(known));
  }
  if (has("Invalid job array")) fail_request("--slurm: the cluster refuses the array: {}", reason);
  if (has("JobLimit") || has("SubmitJob") || has("job submit limit"))
    fail_request(
        "--slurm: the cluster takes no more jobs of yours now ({}); wait, or put more runs into a task "
        "(--runs-per-task)",
        reason);
  if (has("feature")) fail_request("--constraint {}: {}", s.constraint.value_or("?"), reason);
  if (has("Memory specification") || has("memory")) fail_request("--mem {}: {}", s.mem.value_or("?"), reason);
  if (has("account")) fail_request("--account {}: {}", s.account.value_or("?"), reason);
  if (has("qos") || has("QOS")) fail_request("--qos {}: {}", s.qos.value_or("?"), reason);
  if (has("time limit") || has("Time limit")) fail_request("--time {}: {}", s.time.value_or("?"), reason);
  if (has("configuration source") || has("contact") || has("Unable to") || has("Connection"))
    fail("Slurm's controller does not answer: {}", reason);
  fail_request("--slurm: sbatch refuses: {}", reason);
}

CommandOutcome slurm_command(const std::vector<std::string>& words) {
  auto out = run_command(words);
  if (out.status == 127)
    fail("there is no Slurm here ({} is not found); --slurm=print shows the scripts all the same",
         words.front());
  return out;
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> out;
  const auto text = storage::read_own_file(file).value_or("");
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

/// The ids that a submission kept: the first words of its lines, digits alone.
std::vector<std::string> kept_ids(const fs::path& folder) {
  std::vector<std::string> out;
  for (const auto& line : lines_of(slurm_folder(folder) / "jobs")) {
    auto id = line.substr(0, line.find(' '));
    if (id.find_first_not_of("0123456789") == id.npos) out.push_back(std::move(id));
  }
  return out;
}

}  // namespace

SlurmScripts make_scripts(const Study& study, const SlurmRequest& request, std::int64_t array_size) {
  SlurmScripts out;
  const auto& s = request.slurm;
  const auto add = [&](const Job& job) {
    out.all.push_back({job.name + ".sh", script(study, request, job)});
  };
  add({.name = "features",
       .log = "features-%j.log",
       .array = "",
       .command = "--features-only",
       .runs = "runs=\n"});
  const auto lines = task_lines(study, request.runs, std::size_t(s.runs_per_task));
  const auto largest = std::size_t(std::max<std::int64_t>(array_size, 1));
  const int threads = std::max(1, s.cpus.value_or(s.runs_per_task) / s.runs_per_task);
  for (std::size_t first = 0, array = 0; first < lines.size(); first += largest, ++array) {
    const auto count = std::min(largest, lines.size() - first);
    const auto tasks = fmt::format("tasks-{}.txt", array + 1);
    for (std::size_t i = 0; i < count; ++i) out.files[tasks] += lines[first + i];
    Job job{.name = name_of(array),
            .log = fmt::format("{}-%A_%a.log", name_of(array)),
            .array = "",
            .command = "",
            .runs = ""};
    job.array = fmt::format("0-{}", count - 1);
    if (s.at_once) job.array += fmt::format("%{}", *s.at_once);
    job.runs = fmt::format(
        "read -r numbers runs < <(sed -n \"$((SLURM_ARRAY_TASK_ID + 1))p\" \"$folder/slurm/{}\")\n", tasks);
    job.command = fmt::format("--only \"$numbers\" --jobs {} --threads {}", s.runs_per_task, threads);
    add(job);
  }
  add({.name = "report", .log = "report-%j.log", .array = "", .command = "--report-only", .runs = "runs=\n"});
  return out;
}

std::int64_t largest_array() {
  const auto said = slurm_command({"scontrol", "show", "config"});
  if (said.status != 0) refuse(said.out, {});
  const auto at = said.out.find("MaxArraySize");
  const auto digits = at == said.out.npos ? at : said.out.find_first_of("0123456789", at);
  std::int64_t size = 0;
  if (digits != said.out.npos)
    std::from_chars(said.out.data() + digits, said.out.data() + said.out.size(), size);
  if (size < 1) fail("Slurm tells no MaxArraySize, or allows no arrays");
  return size;
}

std::vector<std::string> submit(const Study& study, const SlurmRequest& request) {
  const auto scripts = make_scripts(study, request, largest_array());
  const auto folder = slurm_folder(request.folder);
  fs::create_directories(folder / "log");
  std::error_code none;
  fs::remove(folder / "cancelled", none);
  for (const auto& [name, text] : scripts.files)
    storage::write_file(folder / name, text, storage::Links::replace);
  for (const auto i : request.runs) fs::create_directories(request.folder / "runs" / study.runs[i].folder);
  std::string jobs;
  std::vector<std::string> told, ids, arrays;
  for (const auto& script : scripts.all) {
    const auto file = folder / script.name;
    storage::write_file(file, script.text, storage::Links::replace);
    std::vector<std::string> words{"sbatch", "--parsable"};
    const bool is_report = script.name == "report.sh";
    if (is_report) {
      words.push_back("--dependency=afterany:" + join(arrays, ":"));
    } else if (!ids.empty()) {
      words.push_back("--kill-on-invalid-dep=yes");
      // With a limit to what runs at once, arrays follow each other: each alone keeps it.
      auto after = "--dependency=afterok:" + ids.front();
      if (request.slurm.at_once && !arrays.empty()) after += ",afterany:" + arrays.back();
      words.push_back(after);
    }
    words.push_back(file.string());
    const auto said = slurm_command(words);
    const auto id = said.out.substr(0, said.out.find_first_not_of("0123456789"));
    if (said.status != 0 || id.empty()) {
      for (const auto& earlier : ids) run_command({"scancel", earlier});
      refuse(said.out, request.slurm);
    }
    if (!ids.empty() && !is_report) arrays.push_back(id);
    ids.push_back(id);
    const auto what = script.name.substr(0, script.name.size() - 3);
    jobs += fmt::format("{} {}\n", id, what);
    told.push_back(fmt::format("{} ({})", id, what));
    storage::write_file(folder / "jobs", jobs, storage::Links::replace);
  }
  return told;
}

std::vector<std::string> living_jobs(const fs::path& folder) {
  std::vector<std::string> out;
  for (const auto& id : kept_ids(folder)) {
    const auto said = slurm_command({"squeue", "--noheader", "--jobs=" + id, "--format=%A"});
    if (said.status == 0 && said.out.find_first_of("0123456789") != said.out.npos) out.push_back(id);
  }
  return out;
}

std::vector<std::string> cancel(const fs::path& folder) {
  auto jobs = living_jobs(folder);
  if (jobs.empty()) return jobs;
  storage::write_file(slurm_folder(folder) / "cancelled", "by run_study --cancel\n", storage::Links::replace);
  for (const auto& id : jobs) {
    const auto said = slurm_command({"scancel", id});
    if (said.status != 0) refuse(said.out, {});
  }
  return jobs;
}

std::optional<SrunNote> read_srun(const fs::path& run_folder) {
  const auto lines = lines_of(run_folder / "srun");
  if (lines.empty()) return std::nullopt;
  SrunNote out;
  const auto& last = lines.back();
  const auto first = last.find(' '), second = last.rfind(' ');
  if (first == last.npos || second == first) return std::nullopt;
  out.job = printable(last.substr(0, first));
  std::from_chars(last.data() + first + 1, last.data() + second, out.requeues);
  std::from_chars(last.data() + second + 1, last.data() + last.size(), out.status);
  return out;
}

}  // namespace timbre::study
