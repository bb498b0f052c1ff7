// to_yaml writes what yaml-cpp would, byte for byte: keys of runs are made of it.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "config/emit.hpp"

namespace timbre::config {
namespace {

namespace fs = std::filesystem;

std::string random_text(std::mt19937& random) {
  static const char* const texts[] = {
      "relu",  "1e-3",   "0.5",  "true",    "null", "~",     "a b",  "a: b", "- x",
      "x #y",  "",       "[1]",  "{a: b}",  "é",    "no",    "a,b",  "a]",   "line\nline",
      "\"q\"", "it's",   "*x",   "&x",      "!t",   "%d",    "@x",   "`x`",  "../data",
      " a",    "a ",     "?",    "-",       ":",    "a:",    ".inf", "0x1f", "1_000",
      "|",     "> text", "a\tb", "4:00:00", "\x01", "k=v,w", "yes",  "---",  "a: "};
  return texts[random() % std::size(texts)];
}

Node random_scalar(std::mt19937& random) {
  return random() % 2 == 0 ? Node::text(random_text(random)) : Node::plain(random_text(random));
}

Node random_node(std::mt19937& random, int depth) {
  switch (depth <= 0 ? random() % 2 : random() % 6) {
    case 0:
      return Node{};
    case 1:
    case 2:
      return random_scalar(random);
    case 3: {
      auto out = Node::sequence();
      for (auto n = random() % 4; n > 0; --n) out.items.push_back(random_scalar(random));
      return out;
    }
    case 4: {
      auto out = Node::sequence();
      for (auto n = random() % 4; n > 0; --n) out.items.push_back(random_node(random, depth - 1));
      return out;
    }
    default: {
      auto out = Node::map();
      for (auto n = random() % 4; n > 0; --n)
        out.set(random() % 8 == 0 ? random_text(random) : "key_" + std::to_string(random() % 9),
                random_node(random, depth - 1));
      return out;
    }
  }
}

TEST(Emit, WritesTheBytesOfTheLibraryForAnyTree) {
  std::mt19937 random{1};
  for (int i = 0; i < 5000; ++i) {
    auto node = Node::map();
    for (auto n = 1 + random() % 5; n > 0; --n) node.set("key" + std::to_string(n), random_node(random, 4));
    ASSERT_EQ(to_yaml(node), to_yaml_by_library(node)) << i;
  }
}

TEST(Emit, WritesTheBytesOfTheLibraryForTheConfigurationsThatThereAre) {
  int files = 0;
  for (const auto* folder : {"configs", "experiments"})
    for (const auto& entry : fs::directory_iterator(fs::path(TIMBRE_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".yaml") continue;
      const auto node = load_file(entry.path());
      EXPECT_EQ(to_yaml(node), to_yaml_by_library(node)) << entry.path();
      ++files;
    }
  EXPECT_GT(files, 5);
}

}  // namespace
}  // namespace timbre::config
