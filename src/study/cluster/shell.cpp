#include "study/cluster/shell.hpp"

#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/error.hpp"
#include "core/shell_word.hpp"

namespace timbre::study {

CommandOutcome run_command(const std::vector<std::string>& words) {
  constexpr std::size_t most = 1 << 20;
  std::string line;
  for (const auto& word : words) line += shell_word(word) + " ";
  std::FILE* pipe = ::popen((line + "2>&1 </dev/null").c_str(), "re");
  if (!pipe) fail("{}: cannot be run: {}", words.front(), std::generic_category().message(errno));
  CommandOutcome out;
  std::array<char, 4096> block{};
  for (std::size_t n; (n = std::fread(block.data(), 1, block.size(), pipe)) > 0;)
    if (out.out.size() < most) out.out.append(block.data(), n);
  const int status = ::pclose(pipe);
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return out;
}

}  // namespace timbre::study
