// Commands of the cluster, run to their end.
#pragma once

#include <string>
#include <vector>

namespace timbre::study {

struct CommandOutcome {
  int status = 0;   // 127: there is no such command
  std::string out;  // what it wrote, errors too; the first megabyte
};
/// Throws Error where no process can be started.
CommandOutcome run_command(const std::vector<std::string>& words);

}  // namespace timbre::study
