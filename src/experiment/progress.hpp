// Progress as Keras users know it, on stderr and, without its bar, in run.log.
//
// On a terminal: "Epoch 3/150", then one line that grows: step, bar, time, metrics, and after the epoch the
// validation. Elsewhere: one line per epoch.
#pragma once

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "training/trainer.hpp"

namespace timbre::experiment {

/// Where messages go: stderr, and a log file that keeps whole lines.
class Console {
 public:
  /// An empty path: no log. `quiet`: the log only.
  explicit Console(const std::filesystem::path& log = {}, bool quiet = false);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void line(std::string_view text);
  void line() { line(""); }
  /// On a terminal, replaces the line, or the lines, being shown; elsewhere nothing.
  void transient(std::string_view text) { block({std::string(text)}); }
  void block(const std::vector<std::string>& lines);
  bool terminal() const { return terminal_; }

 private:
  void log_line(std::string_view text);
  std::FILE* log_ = nullptr;
  bool terminal_, quiet_;
  std::size_t open_lines_ = 0;  // of the block being shown; the cursor is at the end of its last
};

/// "━━╸───"
std::string progress_bar(std::int64_t done, std::int64_t total, int width);

/// "12/84 done" for work before training: extraction.
class CountProgress {
 public:
  CountProgress(Console& console, std::string what) : console_(console), what_(std::move(what)) {}
  void operator()(std::int64_t done, std::int64_t total);

 private:
  Console& console_;
  std::string what_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now(), shown_{};
};

class TrainingProgress {
 public:
  explicit TrainingProgress(Console& console) : console_(console) {}
  void on_batch(const training::Progress& progress);
  void on_epoch(std::int64_t epoch, std::int64_t epochs, std::int64_t batches,
                const training::History& history);

 private:
  Console& console_;
  std::chrono::steady_clock::time_point shown_{};
  std::int64_t titled_ = 0;
};

}  // namespace timbre::experiment
