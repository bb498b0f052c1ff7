// The file `status` in the folder of a run: a few lines that tell what becomes of it, so that many runs can be looked at
// without opening a result.
//
//   state running
//   host n1
//   process 1234-0123456789abcdef-5678
//   began 1767182400
//   epoch 12
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace timbre::run {

struct RunStatus {
  std::string state;  // running | finished | diverged | stopped | failed
  std::string host, process;
  std::string job;                      // of Slurm: "12_3"; "" where there is none
  std::int64_t restarts = 0;            // of that job
  std::int64_t began = 0, written = 0;  // seconds since 1970, by the host's clock
  std::int64_t epoch = 0, epochs = 0;
  double val_accuracy = -1;  // of the last epoch, per segment; at the end per clip. -1: none yet
  int signal = 0;            // that stopped it
  std::optional<std::int64_t> before_limit;  // seconds that were left of the job's time then
  std::string key, data, message;            // message: why it failed
  std::string isa;                           // the instruction set it computes with
  std::string features;                      // the name of its file in the feature store
  std::int64_t claims = 0;                   // how often the run was begun or taken up
};

/// Nothing where there is none that can be read.
std::optional<RunStatus> read_status(const std::filesystem::path& folder);

/// Keeps the file of one run up to date while this process works on it. A file that cannot be written is left as it is: the
/// run's own files will tell.
class StatusKeeper {
 public:
  StatusKeeper(std::filesystem::path folder, const std::string& key, const std::string& data,
               const std::string& features, std::int64_t epochs);
  /// At most every `seconds` it is written.
  void epoch(std::int64_t epoch, double val_accuracy, double seconds = 10);
  void end(const std::string& state, std::int64_t epoch, double val_accuracy,
           const std::string& message = "");
  void stopped(int signal);
  void failed(const std::string& message);

 private:
  void write();
  std::filesystem::path folder_;
  RunStatus status_;
  std::chrono::steady_clock::time_point last_;
};

/// Seconds until the job of Slurm that this process belongs to reaches its limit; nothing where that is not known.
std::optional<std::int64_t> seconds_before_limit();

/// "USR2"
std::string signal_text(int number);

}  // namespace timbre::run
