#include <gtest/gtest.h>

#include "end_to_end/process.hpp"

namespace timbre::end_to_end {
namespace {

TEST(Process, KeepsOutputErrorsAndStatus) {
  const auto o = run_process({"sh", "-c", "echo one; echo two >&2; exit 3"});
  EXPECT_EQ(o.status, 3);
  EXPECT_EQ(o.out, "one\n");
  EXPECT_EQ(o.err, "two\n");
}

TEST(Process, RunsInAFolderWithVariablesAndEmptyInput) {
  TemporaryFolder folder;
  const auto o = run_process({"sh", "-c", "pwd -P; echo $WORD; cat"},
                             {.folder = folder.path(), .environment = {{"WORD", "value"}}});
  EXPECT_EQ(o.out, std::filesystem::canonical(folder.path()).string() + "\nvalue\n");
}

TEST(Process, DoesNotHangOnMuchOutputNorOnAnEndlessCommand) {
  EXPECT_EQ(run_process({"sh", "-c", "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2"}).err.size(),
            1000000u);
  EXPECT_EQ(run_process({"sleep", "60"}, {.limit_seconds = 0.5}).status, 128 + 9);
}

TEST(Process, SaysWhatCannotBeStarted) {
  EXPECT_THROW(run_process({"/no/such/command"}), std::runtime_error);
}

TEST(Process, CountsAndCutsLines) {
  EXPECT_EQ(last_line("a\nb\n"), "b");
  EXPECT_EQ(last_line("a"), "a");
  EXPECT_EQ(last_line(""), "");
  EXPECT_EQ(line_count("a\nb"), 2u);
  EXPECT_EQ(line_count("a\nb\n"), 2u);
}

}  // namespace
}  // namespace timbre::end_to_end
