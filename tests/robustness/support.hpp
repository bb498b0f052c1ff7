// What the tests of this room share: processes that can be watched and killed, small runs, and results compared to
// the last bit.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "end_to_end/process.hpp"

namespace timbre::robustness {

namespace fs = std::filesystem;

/// A command that runs beside the test, its stdout and stderr in files. Killed, if need be, when it goes out of scope.
class Child {
 public:
  /// `file_limit`: the largest file it may write, in bytes (RLIMIT_FSIZE with SIGXFSZ ignored); 0: no limit.
  Child(const std::vector<std::string>& arguments, const fs::path& folder,
        const std::map<std::string, std::string>& environment = {}, std::size_t file_limit = 0);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool ended();  // asks the system, does not wait
  void signal(int number);
  /// Waits; the exit status, or 128 + signal. `peak_bytes()` is known from then on.
  int wait();
  /// Looks every few tenths of a millisecond until `seen` holds; false where the process ends first.
  bool wait_until(const std::function<bool()>& seen);
  pid_t id() const { return id_; }
  std::string out() const;
  std::string err() const;
  /// Largest resident set.
  std::int64_t peak_bytes() const { return peak_bytes_; }

 private:
  void reap(int options);
  pid_t id_ = -1;
  bool ended_ = false;
  int status_ = 0;
  std::int64_t peak_bytes_ = 0;
  fs::path out_, err_;
};

/// How two results differ: datasets and attributes that are not the same to the last bit, timings and the number of
/// threads left out. Empty: not at all.
std::vector<std::string> differences(const fs::path& a, const fs::path& b);

/// Every file below a folder, relative to it, sorted.
std::vector<fs::path> files_below(const fs::path& folder);

/// A run on synthetic clips that takes about a second: a small recurrent model with dropout and early stopping.
std::string small_run(const std::string& extra = "");

/// A whole number from the environment.
int number_from(const char* variable, int otherwise);

inline std::string run_experiment() { return end_to_end::command("run_experiment"); }

}  // namespace timbre::robustness
