#include "run/status.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <charconv>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "core/error.hpp"
#include "core/isa.hpp"
#include "core/text.hpp"
#include "storage/atomic_file.hpp"
#include "storage/process_name.hpp"

namespace timbre::run {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest_message = 2000;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

template <class T>
T number_in(std::string_view text, T otherwise = 0) {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? out : otherwise;
}

std::string job_name() {
  const auto array = environment("SLURM_ARRAY_JOB_ID");
  return array.empty() ? environment("SLURM_JOB_ID") : array + "_" + environment("SLURM_ARRAY_TASK_ID");
}

std::string text_of(const RunStatus& s) {
  auto out =
      fmt::format("state {}\nhost {}\nprocess {}\nbegan {}\nwritten {}\nepoch {}\nepochs {}\nclaims {}\n",
                  s.state, s.host, s.process, s.began, s.written, s.epoch, s.epochs, s.claims);
  if (s.val_accuracy >= 0) out += fmt::format("val_accuracy {:.6f}\n", s.val_accuracy);
  if (!s.job.empty()) out += fmt::format("job {}\nrestarts {}\n", s.job, s.restarts);
  if (s.signal != 0) out += fmt::format("signal {}\n", s.signal);
  if (s.before_limit) out += fmt::format("before_limit {}\n", *s.before_limit);
  if (!s.key.empty()) out += fmt::format("key {}\n", s.key);
  if (!s.data.empty()) out += fmt::format("data {}\n", s.data);
  if (!s.isa.empty()) out += fmt::format("isa {}\n", s.isa);
  if (!s.features.empty()) out += fmt::format("features {}\n", s.features);
  if (!s.message.empty()) out += fmt::format("message {}\n", s.message);
  return out;
}

void read_line(std::string_view name, std::string_view value, RunStatus& out) {
  const auto take = [&](std::string_view wanted, std::string& text) {
    if (name == wanted) text = printable(std::string(value));
  };
  const auto count = [&](std::string_view wanted, std::int64_t& number) {
    if (name == wanted) number = number_in<std::int64_t>(value);
  };
  take("state", out.state), take("host", out.host), take("process", out.process), take("job", out.job);
  take("key", out.key), take("data", out.data), take("message", out.message), take("isa", out.isa),
      take("features", out.features);
  count("began", out.began), count("written", out.written), count("epoch", out.epoch);
  count("epochs", out.epochs), count("restarts", out.restarts), count("claims", out.claims);
  if (name == "val_accuracy") out.val_accuracy = number_in<double>(value, -1);
  if (name == "signal") out.signal = number_in<int>(value);
  if (name == "before_limit") out.before_limit = number_in<std::int64_t>(value);
}

}  // namespace

std::optional<RunStatus> read_status(const fs::path& folder) {
  const auto text = storage::read_own_file(folder / "status");
  if (!text) return std::nullopt;
  RunStatus out;
  for (std::string_view rest = *text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    if (const auto space = line.find(' '); space != line.npos)
      read_line(line.substr(0, space), line.substr(space + 1), out);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (out.state.empty()) return std::nullopt;
  return out;
}

std::optional<std::int64_t> seconds_before_limit() {
  // The batch script asks Slurm for the end of its job; newer versions tell it themselves.
  for (const char* name : {"TIMBRE_JOB_END", "SLURM_JOB_END_TIME"})
    if (const auto end = number_in<std::int64_t>(environment(name)); end > 0) return end - std::time(nullptr);
  return std::nullopt;
}

std::string signal_text(int number) {
  const char* name = ::sigabbrev_np(number);
  return name ? name : std::to_string(number);
}

StatusKeeper::StatusKeeper(fs::path folder, const std::string& key, const std::string& data,
                           const std::string& features, std::int64_t epochs)
    : folder_(std::move(folder)) {
  const auto before = read_status(folder_);
  status_.state = "running";
  status_.host = storage::host_name(), status_.process = storage::this_process().str();
  status_.job = job_name(), status_.restarts = number_in<std::int64_t>(environment("SLURM_RESTART_COUNT"));
  status_.began = std::time(nullptr);
  status_.epoch = before ? before->epoch : 0, status_.epochs = epochs;
  status_.key = key, status_.data = data, status_.isa = name_of(isa()), status_.features = features;
  status_.claims = (before ? before->claims : 0) + 1;
  write();
}

void StatusKeeper::epoch(std::int64_t epoch, double val_accuracy, double seconds) {
  status_.epoch = epoch, status_.val_accuracy = val_accuracy;
  if (std::chrono::steady_clock::now() - last_ >= std::chrono::duration<double>(seconds)) write();
}

void StatusKeeper::end(const std::string& state, std::int64_t epoch, double val_accuracy,
                       const std::string& message) {
  status_.state = state, status_.epoch = epoch;
  status_.val_accuracy = val_accuracy >= 0 ? val_accuracy : -1;  // (not a number: none)
  status_.message = first_line(message).substr(0, longest_message);
  write();
}

void StatusKeeper::stopped(int signal) {
  status_.state = "stopped", status_.signal = signal, status_.before_limit = seconds_before_limit();
  write();
}

void StatusKeeper::failed(const std::string& message) {
  status_.state = "failed", status_.message = first_line(message).substr(0, longest_message);
  write();
}

void StatusKeeper::write() {
  last_ = std::chrono::steady_clock::now();
  status_.written = std::time(nullptr);
  try {
    storage::write_file(folder_ / "status", text_of(status_), storage::Links::replace);
  } catch (const Error&) {
    // The disk is full, most likely: what the run itself writes next says so.
  }
}

}  // namespace timbre::run
