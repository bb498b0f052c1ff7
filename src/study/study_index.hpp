// What runs of a study share: their clips, and their features.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/parallel.hpp"
#include "study/study.hpp"

namespace timbre::study {

/// Gives each run the number of its data and of its features, and reads the clips of data that are new.
class StudyIndex {
 public:
  /// Surveys of clips are kept under `runs`.
  StudyIndex(Study& study, std::filesystem::path runs, int threads, run::Watcher& watcher)
      : study_(study), runs_(std::move(runs)), pool_(threads), watcher_(watcher) {}
  /// Throws RequestError where a data set is missing.
  void place(StudyRun& run);

 private:
  std::size_t data_of(const run::RunConfig& config);
  Study& study_;
  std::filesystem::path runs_;
  ThreadPool pool_;
  run::Watcher& watcher_;
  std::map<std::string, std::size_t> data_, features_;
};

}  // namespace timbre::study
