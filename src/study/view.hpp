// Who watches a study at work: an interface that the room of the terminal fills (cli/study_view.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "study/study.hpp"

namespace timbre::study {

/// Hears what becomes of each run. All but start() are called from any thread. This one shows nothing.
class View {
 public:
  virtual ~View() = default;
  /// `pending`: indices of the runs that will be done, in order, `jobs` at a time; others were finished before.
  virtual void start(const Study&, const std::vector<std::size_t>& /*pending*/, int /*jobs*/) {}
  virtual void begin(int /*job*/, std::size_t /*run*/) {}
  virtual void epoch(int /*job*/, std::int64_t /*epoch*/, std::int64_t /*epochs*/, double /*val_accuracy*/) {}
  virtual void end(int /*job*/, const run::RunOutcome&) {}
  virtual void fail(int /*job*/, const std::string& /*message*/, const std::filesystem::path& /*log*/) {}
  /// Interrupted, or left to another process: then with a reason.
  virtual void leave(int /*job*/, const std::string& /*why*/) {}
  /// Called several times a second while runs are at work.
  virtual void draw() {}
};

}  // namespace timbre::study
