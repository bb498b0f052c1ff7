#include "cli/study_view.hpp"

#include <algorithm>
#include <cmath>

#include "cli/terminal.hpp"
#include "core/text.hpp"
#include "results/run_record.hpp"

namespace timbre::cli {

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void StudyView::start(const study::Study& study, const std::vector<std::size_t>& pending, int jobs) {
  study_ = &study;
  total_ = study.runs.size(), done_ = total_ - pending.size();
  rows_.assign(std::size_t(jobs), std::nullopt);
  for (const auto run : pending) ++waiting_[study.runs[run].config.experiment];
  if (!console_.terminal()) return;
  // What was finished before may be the best.
  for (std::size_t i = 0; i < total_; ++i) {
    const auto folder = study::run_folder(options_, study.runs[i]);
    if (study::run_state(folder) != study::RunState::finished) continue;
    try {
      const auto record = results::read_result(folder / "result.h5", false, storage::own_file);
      if (record.validation) consider(record.validation->clips.accuracy, study.runs[i].name);
    } catch (const Error&) {
      // It is among those that will be done again.
    }
  }
}

void StudyView::begin(int job, std::size_t run) {
  const std::lock_guard lock(mutex_);
  auto& waiting = waiting_[study_->runs[run].config.experiment];
  if (waiting > 0) --waiting;  // (one that another process worked on is begun again)
  rows_[std::size_t(job)] = Row{.run = run, .since = Clock::now()};
}

void StudyView::epoch(int job, std::int64_t epoch, std::int64_t epochs, double val_accuracy) {
  const std::lock_guard lock(mutex_);
  auto& row = *rows_[std::size_t(job)];
  row.epoch = epoch, row.epochs = epochs, row.val_accuracy = val_accuracy;
}

void StudyView::finish(const Row& row) {
  ++done_;
  auto& mean = seconds_[study_->runs[row.run].config.experiment];
  mean.sum += seconds_since(row.since), ++mean.count;
}

void StudyView::consider(double validation_accuracy, const std::string& name) {
  if (validation_accuracy > best_) best_ = validation_accuracy, best_name_ = name;
}

void StudyView::end(int job, const run::RunOutcome& outcome) {
  const std::lock_guard lock(mutex_);
  auto& row = *rows_[std::size_t(job)];
  const auto& run = study_->runs[row.run];
  finish(row);
  auto text = outcome.diverged
                  ? "diverged: " + outcome.message
                  : fmt::format("{:.1f}% of validation clips, weights of epoch {} of {}",
                                100 * outcome.validation_accuracy, outcome.weights_epoch, outcome.epochs_run);
  console_.line(fmt::format("[{}/{}] {}: {}, {}", done_ + failed_, total_, run.name, text,
                            duration_text(seconds_since(row.since))));
  consider(outcome.validation_accuracy, run.name);
  rows_[std::size_t(job)].reset();
  show();
}

void StudyView::fail(int job, const std::string& message, const std::filesystem::path& log) {
  const std::lock_guard lock(mutex_);
  ++failed_;
  console_.line(fmt::format("[{}/{}] {}: FAILED: {} (its log: {})", done_ + failed_, total_,
                            study_->runs[rows_[std::size_t(job)]->run].name, message,
                            printable(log.string())));
  rows_[std::size_t(job)].reset();
  show();
}

void StudyView::leave(int job, const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (!why.empty())
    console_.line(
        fmt::format("{}: left to another process: {}", study_->runs[rows_[std::size_t(job)]->run].name, why));
  rows_[std::size_t(job)].reset();
  if (!why.empty()) show();
}

std::optional<double> StudyView::usual_seconds(const std::string& experiment) const {
  if (const auto known = seconds_.find(experiment); known != seconds_.end() && known->second.count > 0)
    return known->second.sum / double(known->second.count);
  // No run has ended yet: assume that those at work do not stop early.
  double sum = 0;
  std::int64_t count = 0;
  for (const auto& row : rows_)
    if (row && row->epoch > 0 && study_->runs[row->run].config.experiment == experiment)
      sum += seconds_since(row->since) / double(row->epoch) * double(row->epochs), ++count;
  if (count > 0) return sum / double(count);
  return std::nullopt;
}

std::optional<double> StudyView::seconds_left() const {
  double work = 0, longest = 0;
  for (const auto& [experiment, count] : waiting_) {
    if (count == 0) continue;
    const auto usual = usual_seconds(experiment);
    if (!usual) return std::nullopt;
    work += *usual * double(count);
  }
  for (const auto& row : rows_) {
    if (!row) continue;
    const auto usual = usual_seconds(study_->runs[row->run].config.experiment);
    if (!usual) return std::nullopt;
    const double left = std::max(0.0, *usual - seconds_since(row->since));
    work += left, longest = std::max(longest, left);
  }
  return std::max(longest, work / double(rows_.size()));
}

std::string StudyView::count_text() const {
  const auto running =
      std::count_if(rows_.begin(), rows_.end(), [](const auto& row) { return row.has_value(); });
  auto text = fmt::format("{}: {} of {} runs done", study_->name, done_, total_);
  if (failed_ > 0) text += fmt::format(", {} failed", failed_);
  text += fmt::format(", {} running", running);
  if (const auto left = seconds_left()) text += fmt::format("; about {} left", duration_text(*left));
  return text;
}

void StudyView::draw() {
  const std::lock_guard lock(mutex_);
  show();
}

void StudyView::show() {
  if (!console_.terminal()) return;
  std::vector<std::string> lines{count_text()};
  if (best_ >= 0)
    lines.push_back(fmt::format("best so far: {:.1f}% of validation clips, {}", 100 * best_, best_name_));
  // A name may be longer than the line; its figures stay.
  const auto columns = Console::columns(), widest = columns - std::min<std::size_t>(columns / 2, 44);
  std::size_t width = 0;
  for (const auto& row : rows_)
    if (row) width = std::max(width, std::min(columns_of(study_->runs[row->run].name), widest));
  for (const auto& row : rows_) {
    if (!row) continue;
    const auto name = clip_columns(study_->runs[row->run].name, width);
    std::vector<Piece> pieces{{"  " + name + std::string(width - columns_of(name), ' '), 0}};
    if (row->epoch > 0) {
      pieces.push_back({fmt::format("epoch {}/{}", row->epoch, row->epochs), 1, "  "});
      pieces.push_back({progress_bar(row->epoch, row->epochs, 8), 3});
      pieces.push_back({fmt::format("val_accuracy {:.4f}", row->val_accuracy), 2, "  "});
    }
    pieces.push_back({duration_text(seconds_since(row->since)), 4, "  "});
    lines.push_back(fitted(std::move(pieces), columns));
  }
  console_.block(lines);
}

}  // namespace timbre::cli
