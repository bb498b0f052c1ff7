// What a person sees of a study at work: on a terminal a table that is drawn over itself, elsewhere a line per run.
//
//   regularisation: 12 of 80 runs done, 1 failed, 2 running; about 14 min left
//   best so far: 75.0% of validation clips, lstm l2=0.0001 dropout=0.2 seed=0
//     lstm l2=0.0001 dropout=0.4 seed=1     epoch 12/60 ━━╸─────  val_accuracy 0.5810  8 s
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "experiment/progress.hpp"
#include "experiment/study.hpp"

namespace timbre::experiment {

class StudyView {
 public:
  /// `pending`: indices of the runs that will be done, in order; others were finished before.
  StudyView(Console& console, const Study& study, const std::vector<std::size_t>& pending, int jobs);

  // From any thread.
  void begin(int job, std::size_t run);
  void epoch(int job, std::int64_t epoch, std::int64_t epochs, double val_accuracy);
  void end(int job, const RunOutcome& outcome);
  void fail(int job, const std::string& message, const std::filesystem::path& log);
  void leave(int job, const std::string& why = "");  // interrupted, or left to another process
  /// Draws the table again; elsewhere than on a terminal nothing.
  void draw();

 private:
  using Clock = std::chrono::steady_clock;
  struct Slot {
    std::size_t run;
    Clock::time_point since;
    std::int64_t epoch = 0, epochs = 0;
    double val_accuracy = 0;
  };
  struct Mean {
    double sum = 0;
    std::int64_t count = 0;
  };
  void finish(Slot& slot);
  void show();
  std::string count_text() const;
  std::optional<double> seconds_left() const;
  std::optional<double> usual_seconds(const std::string& experiment) const;

  Console& console_;
  const Study& study_;
  std::size_t total_, done_, failed_ = 0;
  std::vector<std::optional<Slot>> slots_;
  std::map<std::string, std::int64_t> waiting_;  // runs not begun, by experiment
  std::map<std::string, Mean> seconds_;          // of a finished run, by experiment
  double best_ = -1;
  std::string best_name_;
  std::mutex mutex_;
};

}  // namespace timbre::experiment
