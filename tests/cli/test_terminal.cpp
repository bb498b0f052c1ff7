#include <gtest/gtest.h>

#include "cli/terminal.hpp"

namespace timbre::cli {
namespace {

const std::vector<Piece> epoch = {
    {"27/27", 2}, {"━━━━━━━━", 3}, {"12 s", 1}, {"accuracy: 0.5", 0, " - "}, {"loss: 1.2", 1, " - "}};

TEST(Terminal, LeavesOutWhatMattersLeast) {
  EXPECT_EQ(fitted(epoch, 80), "27/27 ━━━━━━━━ 12 s - accuracy: 0.5 - loss: 1.2");
  EXPECT_EQ(columns_of(fitted(epoch, 80)), 47u);
  EXPECT_EQ(fitted(epoch, 47), fitted(epoch, 80));
  EXPECT_EQ(fitted(epoch, 46), "27/27 12 s - accuracy: 0.5 - loss: 1.2");
  EXPECT_EQ(fitted(epoch, 35), "12 s - accuracy: 0.5 - loss: 1.2");
  EXPECT_EQ(fitted(epoch, 31), "accuracy: 0.5 - loss: 1.2")
      << "of the same rank the first goes first, and no dash begins a line";
  EXPECT_EQ(fitted(epoch, 15), "accuracy: 0.5");
  EXPECT_EQ(fitted(epoch, 5), "accur");
}

TEST(Terminal, BreaksLinesAtSpaces) {
  EXPECT_EQ(broken_at_spaces("test    0.5 (95%)", 17), "test    0.5 (95%)");
  EXPECT_EQ(broken_at_spaces("test    0.5 (95%)", 16), "test    0.5\n  (95%)");
  EXPECT_EQ(broken_at_spaces("ab cd ef gh", 5), "ab cd\n  ef\n  gh");
  EXPECT_EQ(broken_at_spaces("─é ─é", 2), "─é\n  ─é") << "characters, not bytes";
  EXPECT_EQ(broken_at_spaces("  a/long/path here and", 6), "  a/long/path\n  here\n  and")
      << "a word is not cut";
  EXPECT_EQ(broken_at_spaces("a/long/path", 6), "a/long/path");
  EXPECT_EQ(broken_at_spaces("word        ", 6), "word        ");
  EXPECT_EQ(broken_at_spaces("", 6), "");
  EXPECT_EQ(broken_at_spaces("            ", 6), "            ");
}

TEST(Terminal, CountsAndCutsCharactersNotBytes) {
  EXPECT_EQ(columns_of("━╸─é"), 4u);
  EXPECT_EQ(clip_columns("━╸─é", 2), "━╸");
  EXPECT_EQ(clip_columns("━╸─é", 9), "━╸─é");
}

}  // namespace
}  // namespace timbre::cli
