#include "study/overview.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "core/text.hpp"
#include "storage/atomic_file.hpp"
#include "storage/process_name.hpp"
#include "study/cluster/slurm.hpp"

namespace timbre::study {

namespace fs = std::filesystem;

namespace {

std::string clock_text(std::int64_t seconds) {
  const auto when = std::time_t(seconds);
  const auto now = std::time(nullptr);
  std::tm parts{}, today{};
  localtime_r(&when, &parts), localtime_r(&now, &today);
  const bool is_today = parts.tm_yday == today.tm_yday && parts.tm_year == today.tm_year;
  char out[64] = "";
  std::strftime(out, sizeof out, is_today ? "%H:%M:%S" : "%Y-%m-%d %H:%M", &parts);
  return out;
}

/// Seconds since a claim's heartbeat, both times by the file server's clock; nothing where there is no claim.
std::optional<std::int64_t> silence_of(const fs::path& run_folder, const fs::path& study_folder) {
  struct stat claim {};
  if (::stat((run_folder / ".lock").c_str(), &claim) != 0) return std::nullopt;
  const auto now = storage::time_in(study_folder);
  return now ? std::int64_t(*now) - std::int64_t(claim.st_mtime) : 0;
}

std::string progress_text(const run::RunStatus& s) {
  auto out = fmt::format("epoch {}/{}", s.epoch, s.epochs);
  if (s.val_accuracy >= 0) out += fmt::format(", val_accuracy {:.4f}", s.val_accuracy);
  return out;
}

/// What one that was killed died of, as far as srun's status tells.
std::string death_text(const std::optional<SrunNote>& note) {
  if (!note || note->status == 0) return "";
  if (note->status == 137) return ", srun says 137: most often for memory (--mem asks for more)";
  return fmt::format(", srun says {}", note->status);
}

void describe_running(RunOverview& out, const fs::path& run_folder, const fs::path& study_folder,
                      const std::optional<SrunNote>& note) {
  const auto& s = *out.status;
  const auto process = storage::ProcessName::parse(s.process);
  auto life = process ? storage::life_of(*process) : storage::Life::unknown;
  std::string sign;
  if (life == storage::Life::unknown) {
    const auto silence = silence_of(run_folder, study_folder);
    if (!silence)
      life = storage::Life::dead;
    else if (*silence > 60)
      sign = fmt::format(", no sign for {}", duration_text(double(*silence)));
  }
  if (life == storage::Life::dead) {
    out.state = "killed";
    out.detail = fmt::format("on {}, {}{}", s.host, progress_text(s), death_text(note));
    return;
  }
  out.state = "running";
  out.detail = fmt::format("on {} since {}, {}{}", s.host, clock_text(s.began), progress_text(s), sign);
}

}  // namespace

std::string last_log_line(const fs::path& run_folder) {
  const int descriptor =
      ::open((run_folder / "run.log").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return "";
  struct stat s {};
  std::string text(4096, '\0');
  ssize_t got = 0;
  if (::fstat(descriptor, &s) == 0 && S_ISREG(s.st_mode))
    got = ::pread(descriptor, text.data(), text.size(), std::max<off_t>(0, s.st_size - off_t(text.size())));
  ::close(descriptor);
  text.resize(std::size_t(std::max<ssize_t>(got, 0)));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return printable(text.substr(text.rfind('\n') + 1));  // (npos + 1 is 0)
}

RunOverview overview_of(const fs::path& run_folder, const fs::path& study_folder) {
  RunOverview out;
  out.status = run::read_status(run_folder);
  const auto note = read_srun(run_folder);
  if (out.status) out.requeues = out.status->restarts;
  if (note) out.requeues = std::max<std::int64_t>(out.requeues, note->requeues);
  const auto state = run_state(run_folder);
  if (state == RunState::finished) {
    const bool diverged = out.status && out.status->state == "diverged";
    out.state = diverged ? "diverged" : "finished";
    if (diverged) out.detail = out.status->message;
    return out;
  }
  if (state == RunState::failed || (out.status && out.status->state == "failed")) {
    out.state = "failed";
    out.detail = state == RunState::failed ? failure_of(run_folder) : out.status->message;
    if (const auto last = last_log_line(run_folder); !last.empty() && last != "failed: " + out.detail)
      out.detail += " (log: " + last + ")";
  } else if (out.status && out.status->state == "running") {
    describe_running(out, run_folder, study_folder, note);
  } else if (out.status && out.status->state == "stopped") {
    out.state = "stopped";
    out.detail = "by signal " + run::signal_text(out.status->signal);
    if (out.status->before_limit)
      out.detail += fmt::format(", {} s before the limit", *out.status->before_limit);
    out.detail += ", " + progress_text(*out.status);
  } else if (state == RunState::interrupted) {
    out.state = "stopped";
  } else {
    out.state = note && note->status != 0 ? "killed" : "waiting";
    if (out.state == "killed") out.detail = "before it began" + death_text(note);
  }
  if (out.status && !out.status->job.empty()) out.detail += ", job " + out.status->job;
  if (out.requeues > 0)
    out.detail += fmt::format(", requeued {} time{}", out.requeues, out.requeues == 1 ? "" : "s");
  return out;
}

std::vector<RunOverview> overview(const Study& study, const ScheduleOptions& options) {
  std::vector<RunOverview> out;
  for (const auto& run : study.runs) out.push_back(overview_of(run_folder(options, run), options.folder));
  return out;
}

}  // namespace timbre::study
