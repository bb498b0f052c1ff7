// Where the commands of the build tree look for libraries: beside themselves, never in the current folder.
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <regex>

#include "robustness/support.hpp"

namespace timbre::robustness {
namespace {

/// The RPATH and RUNPATH of a binary, as the linker wrote them; the elements stand between colons.
std::vector<std::string> library_paths(const fs::path& binary) {
  const auto read = end_to_end::run_process({"/usr/bin/env", "readelf", "-dW", binary.string()});
  EXPECT_EQ(read.status, 0) << read.err;
  std::vector<std::string> found;
  const std::regex path(R"(Library r(?:un)?path: \[([^\]]*)\])");
  for (std::sregex_iterator it(read.out.begin(), read.out.end(), path), end; it != end; ++it)
    found.push_back((*it)[1]);
  return found;
}

TEST(Libraries, AreNeverLoadedFromTheCurrentFolder) {
  const fs::path bin = TIMBRE_BIN_DIR;
  int looked_at = 0;
  for (const auto& folder : {bin, bin.parent_path() / "lib"})
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      ++looked_at;
      for (const auto& path : library_paths(entry.path())) {
        const auto between = ":" + path + ":";
        EXPECT_EQ(between.find("::"), std::string::npos) << entry.path() << " has an empty element: " << path;
        EXPECT_EQ(between.find(":."), std::string::npos)
            << entry.path() << " has a relative element: " << path;
      }
    }
  EXPECT_GE(looked_at, 9);  // eight commands and the library
}

TEST(Libraries, OfTheirNamesInTheCurrentFolderAreNotRun) {
  const end_to_end::TemporaryFolder folder;
  // No library at all: a loader that looks at it says "file too short".
  for (const auto* name : {"libtimbre.so", "libxxhash.so.0", "libyaml-cpp.so.0.7", "libhdf5_serial.so.103"})
    end_to_end::write_file(folder / name, "");
  const auto outcome =
      end_to_end::run_process({end_to_end::command("inspect"), "--help"}, {.folder = folder.path()});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
}

}  // namespace
}  // namespace timbre::robustness
