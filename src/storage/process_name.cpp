#include "storage/process_name.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <random>

#include "core/hash.hpp"

namespace timbre::storage {

namespace {

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Where the kernel tells no boot, every process is a machine of its own: nothing is then known of any other.
std::string machine_name() {
  const auto boot = text_of("/proc/sys/kernel/random/boot_id");
  char space[64] = "";
  const auto length = ::readlink("/proc/self/ns/pid", space, sizeof space);
  Hasher hasher;
  if (boot.empty() || length <= 0)
    hasher.text(std::to_string(std::random_device()())).text(std::to_string(::getpid()));
  else
    hasher.text(boot).bytes(space, std::size_t(length));
  return hasher.hex().substr(0, 16);
}

struct Stat {
  char state = '?';
  std::int64_t start = 0;
};

/// Of /proc/N/stat: the state is its third field, the start the 22nd; the second, in brackets, may hold anything.
std::optional<Stat> stat_of(std::int64_t number) {
  const auto text = text_of(fmt::format("/proc/{}/stat", number));
  auto at = text.rfind(") ");
  if (at == text.npos || at + 2 >= text.size()) return std::nullopt;
  Stat out{text[at + 2], 0};
  for (int field = 2; field < 22; ++field)
    if ((at = text.find(' ', at + 1)) == text.npos) return std::nullopt;
  std::from_chars(text.data() + at + 1, text.data() + text.size(), out.start);
  return out;
}

bool read_number(std::string_view text, std::int64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string ProcessName::str() const { return fmt::format("{}-{}-{}", number, machine, start); }

std::optional<ProcessName> ProcessName::parse(std::string_view text) {
  const auto first = text.find('-'), last = text.rfind('-');
  if (first == text.npos || last == first) return std::nullopt;
  ProcessName out{.machine = std::string(text.substr(first + 1, last - first - 1))};
  const bool is_hex = out.machine.find_first_not_of("0123456789abcdef") == out.machine.npos;
  if (out.machine.size() != 16 || !is_hex || !read_number(text.substr(0, first), out.number) ||
      !read_number(text.substr(last + 1), out.start) || out.number <= 0)
    return std::nullopt;
  return out;
}

ProcessName this_process() {
  static const auto machine = machine_name();
  const std::int64_t number = ::getpid();  // (a forked child has its own)
  const auto stat = stat_of(number);
  return {number, machine, stat ? stat->start : 0};
}

Life life_of(const ProcessName& process) {
  if (process.machine != this_process().machine) return Life::unknown;
  if (::kill(pid_t(process.number), 0) < 0 && errno == ESRCH) return Life::dead;
  const auto stat = stat_of(process.number);
  if (!stat) return Life::alive;  // it may belong to somebody whose processes are hidden
  // One that has ended and waits for its parent holds nothing any more.
  return stat->start == process.start && stat->state != 'Z' && stat->state != 'X' ? Life::alive : Life::dead;
}

std::string host_name() {
  char host[256] = "?";
  gethostname(host, sizeof host - 1);
  return host;
}

}  // namespace timbre::storage
