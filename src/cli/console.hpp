// Progress as Keras users know it, on stderr.
//
// On a terminal: "Epoch 3/150", then one line that grows: step, bar, time, metrics, and after the epoch the
// validation. Elsewhere: one line per epoch.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "run/watcher.hpp"

namespace timbre::cli {

class Console : public run::Watcher {
 public:
  Console();
  ~Console() override;
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void line(std::string_view text) override;
  void count(std::string_view what, std::int64_t done, std::int64_t total, double seconds) override;
  void batch(const training::Progress& progress) override;
  void epoch(const run::EpochDone& done) override;
  /// On a terminal, replaces the lines being shown; elsewhere nothing.
  void block(const std::vector<std::string>& lines);
  bool terminal() const { return terminal_; }
  /// Of a line that leaves the last column free: one that fills it would be followed by an empty line.
  static std::size_t columns();

 private:
  void title(std::int64_t epoch, std::int64_t epochs);
  bool is_time();  // to draw again: at most ten times a second
  bool terminal_;
  std::size_t open_lines_ = 0;  // of the block being shown; the cursor is at the end of its last
  std::chrono::steady_clock::time_point shown_{};
  std::int64_t titled_ = 0;  // the epoch whose title was written
};

/// "━━╸───"
std::string progress_bar(std::int64_t done, std::int64_t total, int width);

}  // namespace timbre::cli
