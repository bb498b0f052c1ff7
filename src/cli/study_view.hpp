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

#include "cli/console.hpp"
#include "study/scheduler.hpp"

namespace timbre::cli {

class StudyView : public study::View {
 public:
  StudyView(Console& console, const study::ScheduleOptions& options) : console_(console), options_(options) {}

  void start(const study::Study& study, const std::vector<std::size_t>& pending, int jobs) override;
  void begin(int job, std::size_t run) override;
  void epoch(int job, std::int64_t epoch, std::int64_t epochs, double val_accuracy) override;
  void end(int job, const run::RunOutcome& outcome) override;
  void fail(int job, const std::string& message, const std::filesystem::path& log) override;
  void leave(int job, const std::string& why) override;
  /// Draws the table again; elsewhere than on a terminal nothing.
  void draw() override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Row {
    std::size_t run;
    Clock::time_point since;
    std::int64_t epoch = 0, epochs = 0;
    double val_accuracy = 0;
  };
  struct Mean {
    double sum = 0;
    std::int64_t count = 0;
  };
  void finish(const Row& row);
  void consider(double validation_accuracy, const std::string& name);
  void show();
  std::string count_text() const;
  std::optional<double> seconds_left() const;
  std::optional<double> usual_seconds(const std::string& experiment) const;

  Console& console_;
  const study::ScheduleOptions& options_;  // where the runs' folders are
  const study::Study* study_ = nullptr;
  std::size_t total_ = 0, done_ = 0, failed_ = 0;
  std::vector<std::optional<Row>> rows_;         // of each job
  std::map<std::string, std::int64_t> waiting_;  // runs not begun, by experiment
  std::map<std::string, Mean> seconds_;          // of a finished run, by experiment
  double best_ = -1;
  std::string best_name_;
  std::mutex mutex_;
};

}  // namespace timbre::cli
