// tools/check_rooms: includes between rooms point down.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "storage/temporary_folder.hpp"

namespace timbre::run {
namespace {

/// Exit status and standard output.
std::pair<int, std::string> check_rooms(const std::filesystem::path& tree) {
  const auto command =
      std::string(TIMBRE_SOURCE_DIR) + "/tools/check_rooms '" + tree.string() + "' 2>/dev/null";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return {-1, ""};
  std::string out;
  std::array<char, 4096> buffer;
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), n);
  return {WEXITSTATUS(pclose(pipe)), out};
}

TEST(Rooms, IncludeOnlyWhatStandsBelow) {
  const auto [status, out] = check_rooms(TIMBRE_SOURCE_DIR);
  EXPECT_EQ(status, 0) << out;
}

TEST(Rooms, ThatIncludeUpwardsAreNamedWithThePlace) {
  const test::TemporaryFolder tree;
  const auto write = [&](const char* file, const char* text) {
    std::filesystem::create_directories((tree / file).parent_path());
    std::ofstream(tree / file) << text;
  };
  write("src/core/error.hpp", "#pragma once\n#include <string>\n");
  write("src/run/run.cpp", "#include \"core/error.hpp\"\n#include \"results/run_record.hpp\"\n");
  EXPECT_EQ(check_rooms(tree.path()), (std::pair<int, std::string>{0, ""}));
  write("src/core/up.cpp", "\n  #include \"run/run.hpp\"\n");
  write("src/run/terminal.cpp", "#include \"cli/console.hpp\"\n");
  write("src/attic/old.cpp", "#include \"core/error.hpp\"\n");
  write("src/data/beside.cpp", "#include \"csv.hpp\"\n");
  const auto [status, out] = check_rooms(tree.path());
  EXPECT_EQ(status, 1);
  for (const auto* line :
       {"src/core/up.cpp:2: core includes run", "src/run/terminal.cpp:1: run includes cli",
        "src/attic/old.cpp:1: the room 'attic'", "src/data/beside.cpp:1: 'csv.hpp' names no room"})
    EXPECT_NE(out.find(line), out.npos) << out;
}

}  // namespace
}  // namespace timbre::run
