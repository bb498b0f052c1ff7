// tools/check_rooms: includes between rooms point down, and each room is described. tools/check_words: phrases.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
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
std::pair<int, std::string> check(const std::string& tool, const std::filesystem::path& tree) {
  const auto command =
      std::string(TIMBRE_SOURCE_DIR) + "/tools/" + tool + " '" + tree.string() + "' 2>/dev/null";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return {-1, ""};
  std::string out;
  std::array<char, 4096> buffer;
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), n);
  return {WEXITSTATUS(pclose(pipe)), out};
}

auto check_rooms(const std::filesystem::path& tree) { return check("check_rooms", tree); }

TEST(Words, ThatDoNotComeBackAreNotThere) {
  const auto [status, out] = check("check_words", TIMBRE_SOURCE_DIR);
  EXPECT_EQ(status, 0) << out;
}

TEST(Words, ThatCameBackAreNamedInCommentsAndMessagesOnly) {
  const test::TemporaryFolder tree;
  std::filesystem::create_directories(tree / "src/core");
  std::ofstream(tree / "src/core/a.hpp")
      << "int nobody = 0;\nint x;  // read by nobody\nauto y = \"stands twice\";\n"
         "// It stands alone.\n";
  const auto [status, out] = check("check_words", tree.path());
  EXPECT_EQ(status, 1);
  EXPECT_TRUE(out.starts_with("src/core/a.hpp:2: 'nobody': ")) << out;
  EXPECT_NE(out.find("\nsrc/core/a.hpp:3: 'stands': "), out.npos) << out;
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2) << out;
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
  write("src/README.md", "### core\nA b. C 1.5 d. `e` f.\n\n### run\nA.\nB. C\nd.\n");
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

TEST(Rooms, WithoutThreeSentencesAreNamed) {
  const test::TemporaryFolder tree;
  for (const auto* file : {"src/core/a.hpp", "src/nn/a.hpp", "src/run/a.hpp", "cuda/layers/a.cu"}) {
    std::filesystem::create_directories((tree / file).parent_path());
    std::ofstream(tree / file) << "#pragma once\n";
  }
  std::ofstream(tree / "src/README.md")
      << "### core\nOne. Two. Three.\n### nn\nOne. Two.\n### attic\nOne. Two. Three.\n";
  const auto [status, out] = check_rooms(tree.path());
  EXPECT_EQ(status, 1);
  EXPECT_EQ(out,
            "src/README.md: there is no room attic\n"
            "src/README.md: the room cuda/layers is not described\n"
            "src/README.md: the room nn is described in 2 sentences, not three\n"
            "src/README.md: the room run is not described\n");
}

}  // namespace
}  // namespace timbre::run
