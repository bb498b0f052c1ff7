// A name for a process that files on a shared file system can carry. It tells the process from all others of all machines,
// also from a later one with the same number, and says on the same machine whether it still lives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace timbre::storage {

struct ProcessName {
  std::int64_t number = 0;  // its process id
  std::string machine;  // 16 hexadecimal digits: one boot of one machine, and one space of process ids on it
  std::int64_t start = 0;  // when it began, in ticks since the machine's boot

  /// "1234-0123456789abcdef-5678"
  std::string str() const;
  /// Nothing where the text is none.
  static std::optional<ProcessName> parse(std::string_view text);
};

ProcessName this_process();

/// Processes of other machines are unknown.
enum class Life { alive, dead, unknown };
Life life_of(const ProcessName& process);

/// The machine's name, as messages say it.
std::string host_name();

}  // namespace timbre::storage
