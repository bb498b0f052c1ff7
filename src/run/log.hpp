// run.log: the lines of a run, kept in its folder.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>

#include "run/watcher.hpp"

namespace timbre::run {

/// Appends whole lines to a file, and passes everything on to another watcher. Error where the file cannot be
/// written.
class Log : public Watcher {
 public:
  Log(const std::filesystem::path& file, Watcher& beside);
  void line(std::string_view text) override;
  void count(std::string_view what, std::int64_t done, std::int64_t total, double seconds) override;
  void batch(const training::Progress& progress) override;
  void epoch(const EpochDone& done) override;

 private:
  void write(std::string_view text);
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  Watcher& beside_;
};

}  // namespace timbre::run
