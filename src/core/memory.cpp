#include "core/memory.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace timbre {

namespace {

constexpr auto unknown = std::numeric_limits<std::int64_t>::max();

std::int64_t number_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::int64_t value;
  return in >> value ? value : -1;  // "max" is no number
}

// What a group holds of files' contents, which gives way to other uses.
std::int64_t cached_files(const std::filesystem::path& statistics) {
  std::ifstream in(statistics);
  std::string name;
  std::int64_t sum = 0;
  for (std::int64_t value; in >> name >> value;)
    if (name == "inactive_file" || name == "active_file") sum += value;
  return sum;
}

// Of this process's control group (version 2) and those above it.
std::int64_t left_in_groups() {
  std::ifstream in("/proc/self/cgroup");
  std::string line;
  while (std::getline(in, line) && !line.starts_with("0::")) {
  }
  if (!line.starts_with("0::/")) return unknown;
  auto left = unknown;
  const std::filesystem::path root = "/sys/fs/cgroup";
  for (auto group = root / line.substr(4);; group = group.parent_path()) {
    const auto limit = number_in(group / "memory.max"), used = number_in(group / "memory.current");
    if (limit >= 0 && used >= 0)
      left = std::min(left, std::max<std::int64_t>(limit - used + cached_files(group / "memory.stat"), 0));
    if (group == root || !group.has_relative_path()) return left;
  }
}

}  // namespace

std::int64_t available_memory() {
  auto left = unknown;
  std::ifstream in("/proc/meminfo");
  std::string name, unit;
  for (std::int64_t kilobytes; in >> name >> kilobytes && std::getline(in, unit);)
    if (name == "MemAvailable:") left = kilobytes * 1024;
  return std::min(left, left_in_groups());
}

}  // namespace timbre
