#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>

#include "core/shell_word.hpp"

namespace timbre {
namespace {

// What a shell makes of the text as one argument.
std::string echoed(const std::string& text) {
  const auto command = "printf %s " + shell_word(text);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 256> buffer;
  const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
  return {buffer.data(), n};
}

TEST(ShellWord, PlainWordsStayAsTheyAre) {
  EXPECT_EQ(shell_word("model[0].units=4"), "'model[0].units=4'");
  EXPECT_EQ(shell_word("regularisation.l2=1e-4"), "regularisation.l2=1e-4");
}

TEST(ShellWord, AShellTakesEveryWordBack) {
  for (const std::string text :
       {"", "two words", "it's", "''", "$HOME `ls` \\ \"x\" *", "a\nb", "~/x", "{a: 1}", "#x", "!x", "ü"})
    EXPECT_EQ(echoed(text), text);
}

}  // namespace
}  // namespace timbre
