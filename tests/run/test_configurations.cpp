// The configurations that come with Timbre, and where they look for songs.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "run/run_config.hpp"

namespace timbre::run {
namespace {

namespace fs = std::filesystem;

TEST(Configurations, LookForSongsWhereTheReadmeSaysAndGitDoesNot) {
  const fs::path root = TIMBRE_SOURCE_DIR;
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(root / "configs")) {
    const auto config = load_run_config(entry.path(), {});
    ++seen;
    if (const auto& external = config.features.external) {  // a table in place of songs
      EXPECT_TRUE(entry.path().filename().string().starts_with("external_")) << entry.path();
      for (const auto& file : external->file.paths)
        EXPECT_EQ(file.lexically_normal().parent_path(), root / "data/gtzan_features") << entry.path();
      EXPECT_EQ(config.split.lists->train.lexically_normal(), root / "data/gtzan_lists/train_filtered.txt");
      continue;
    }
    const auto path = config.dataset.path;
    ASSERT_TRUE(path) << entry.path();
    EXPECT_EQ(fs::path(*path).lexically_normal(), root / "data/gtzan/genres_original") << entry.path();
  }
  EXPECT_GE(seen, 8);
  const auto holds = [&](const char* file, const std::string& wanted) {
    std::ifstream in(root / file);
    for (std::string line; std::getline(in, line);)
      if (line.find(wanted) != line.npos) return true;
    return false;
  };
  EXPECT_TRUE(holds(".gitignore", "/data/")) << "songs are not to be committed";
  EXPECT_TRUE(holds("README.md", "so that `data/gtzan/genres_original/blues/*.wav`"));
}

}  // namespace
}  // namespace timbre::run
