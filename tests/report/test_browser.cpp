// The page in headless Chromium (see browser_test.py); skipped where it is not installed.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "records.hpp"

namespace timbre::report {
namespace {

TEST(Browser, ThePageWorksAtEveryWidthInTheDarkAndOnPaper) {
  Results r;
  for (const int seed : {0, 1})
    for (const std::string l2 : {"0", "0.01", "0.1"})
      for (const std::string dropout : {"null", "0.2"})
        r.add({.seed = seed,
               .l2 = l2,
               .dropout = dropout,
               .validation_right = 4 + seed + (l2 == "0.1") + (dropout == "0.2"),
               .test_right = 6,
               .epochs = 12});
  for (const int seed : {0, 1}) r.add({.experiment = "cnn", .seed = seed, .test_right = 4});
  auto leaking = made({.experiment = "cnn"});
  leaking.split.leaks = true, leaking.split.clip_share_in_train = 1, leaking.key = "leaking";
  r.add(leaking);
  const std::string nasty = "</script><img src=x onerror=alert(1)>";
  r.write(
      {.title = nasty,
       .command = "make_report results -o report.html",
       .failed = {{nasty, nasty}},
       .examples = {{"blues", "spectrogram of a blues clip",
                     "<svg viewBox=\"0 0 10 10\"><rect width=\"5\" height=\"5\" fill=\"#0072B2\"/></svg>"}}});
  const auto run = [&](const std::string& python) {
    return std::system(fmt::format("{} '{}/tests/report/browser_test.py' '{}' >'{}' 2>&1 </dev/null", python,
                                   TIMBRE_SOURCE_DIR, r.page().string(), (r / "log").string())
                           .c_str());
  };
  // Debian's own Python is the one that Debian's selenium is installed for.
  int status = run("/usr/bin/python3");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) status = run("python3");
  const auto log = test::bytes_of(r / "log");
  if (WIFEXITED(status) && (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127)) GTEST_SKIP() << log;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << log;
}

}  // namespace
}  // namespace timbre::report
