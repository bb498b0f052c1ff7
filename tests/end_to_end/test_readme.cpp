// Every command that the README shows is run: the blocks fenced by ```sh, in their order, in one folder that
// looks like the checkout. A block stands out by the line <!-- not run by the tests: REASON --> before it.
//
// Training is cut short for the test: run_experiment, run_study and extract_features are called with a few
// more --set, so that they take seconds. song.wav lies in the folder, nine seconds of made-up music.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <sstream>

#include "audio/synthetic.hpp"
#include "end_to_end/process.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

struct Block {
  int line;  // of its fence
  std::string text;
  bool marked;  // not to be run
};

std::vector<Block> command_blocks(const std::string& markdown) {
  std::vector<Block> blocks;
  std::istringstream in(markdown);
  std::string line, before;
  bool inside = false, other = false;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.starts_with("```")) {
      if (inside || other)
        inside = other = false;
      else if (line == "```sh")
        inside = true, blocks.push_back({number, "", before.starts_with("<!-- not run by the tests: ")});
      else
        other = true;
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
    if (!line.empty()) before = line;
  }
  return blocks;
}

TEST(Readme, ItsBlocksAreFound) {
  const auto blocks = command_blocks(
      "text\n```sh\na\nb\n```\n```yaml\nx\n```\n<!-- not run by the tests: slow -->\n\n```sh\nc\n```\n");
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].text, "a\nb\n");
  EXPECT_EQ(blocks[0].line, 2);
  EXPECT_FALSE(blocks[0].marked);
  EXPECT_EQ(blocks[1].text, "c\n");
  EXPECT_TRUE(blocks[1].marked);
}

void write_song(const fs::path& file) {
  const audio::SyntheticOptions options{.clips_per_genre = 1, .clip_seconds = 9};
  const auto samples = audio::synthesize(options, 0, 0);
  std::string text = "RIFF????WAVEfmt ";
  const auto put = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) text += char(value >> (8 * i) & 255);
  };
  put(16, 4), put(1, 2), put(1, 2), put(22050, 4), put(44100, 4), put(2, 2), put(16, 2);
  text += "data";
  put(std::uint32_t(2 * samples.size()), 4);
  for (const float v : samples) put(std::uint32_t(std::int32_t(v * 32767.0f)), 2);
  const auto size = std::uint32_t(text.size() - 8);
  std::memcpy(text.data() + 4, &size, 4);
  write_file(file, text);
}

/// build/bin of the folder: every command, those that train with less to do.
void put_commands(const fs::path& folder) {
  fs::create_directories(folder / "build/bin");
  for (const auto& entry : fs::directory_iterator(TIMBRE_BIN_DIR)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with("test_") || !entry.is_regular_file()) continue;
    if (name == "run_experiment" || name == "run_study" || name == "extract_features") {
      const auto file = folder / "build/bin" / name;
      write_file(
          file,
          fmt::format("#!/bin/sh\n"
                      "less='--set training.epochs=1'\n"
                      "case \"$*\" in *synthetic*) less=\"$less --set dataset.synthetic.clips_per_genre=5"
                      " --set dataset.synthetic.clip_seconds=3\" ;; esac\n"
                      "case \"$*\" in *--help*) less= ;; esac\n"
                      "exec '{}' \"$@\" $less\n",
                      entry.path().string()));
      fs::permissions(file, fs::perms::owner_all);
    } else {
      fs::create_symlink(entry.path(), folder / "build/bin" / name);
    }
  }
}

TEST(Readme, EveryCommandBlockRuns) {
  const fs::path source = TIMBRE_SOURCE_DIR;
  if (!fs::exists(source / "README.md")) GTEST_SKIP() << "no README.md";
  TemporaryFolder folder;
  for (const auto* name : {"configs", "experiments"})
    if (fs::exists(source / name)) fs::copy(source / name, folder / name, fs::copy_options::recursive);
  put_commands(folder.path());
  write_song(folder / "song.wav");
  int run = 0;
  for (const auto& block : command_blocks(read_file(source / "README.md"))) {
    if (block.marked) continue;
    const auto o = run_process({"bash", "-euo", "pipefail", "-c", block.text}, {.folder = folder.path()});
    EXPECT_EQ(o.status, 0) << "README.md:" << block.line << "\n" << block.text << o.out << o.err;
    ++run;
  }
  EXPECT_GE(run, 1) << "no command of the README is run";
}

}  // namespace
}  // namespace timbre::end_to_end
