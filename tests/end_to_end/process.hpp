// Runs a command as a person would, and keeps what it wrote and how it ended.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace timbre::end_to_end {

struct Outcome {
  int status = -1;  // exit status, 128 + signal where a signal ended it
  std::string out, err;
  double seconds = 0;
};

struct ProcessOptions {
  std::filesystem::path folder;                    // working directory; empty: this process's
  std::map<std::string, std::string> environment;  // set on top of this process's
  double limit_seconds = 600;                      // killed after that
  int terminal_columns = 0;                        // standard error is a terminal so wide; 0: a pipe
};

/// Runs arguments[0] with the rest, standard input empty. Throws std::runtime_error if it cannot be started.
Outcome run_process(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

/// What a terminal showed, line by line: without the codes that move its cursor, each line that was drawn over apart.
std::vector<std::string> shown_lines(const std::string& text);

/// The path of a command in TIMBRE_BIN_DIR.
std::string command(const std::string& name);

/// The last line of a text, without its line end; "" for none.
std::string last_line(const std::string& text);

/// Number of lines of a text; a last line without its end counts.
std::size_t line_count(const std::string& text);

std::string read_file(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::string& text);

/// A folder of its own that goes away again.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& rest) const { return path_ / rest; }

 private:
  std::filesystem::path path_;
};

}  // namespace timbre::end_to_end
