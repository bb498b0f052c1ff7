// Kills a run with SIGKILL at random moments of extraction, training and writing, starts it again until it ends, and
// wants the result of an uninterrupted run, byte for byte.
//
// TIMBRE_KILLS: how many kills (default 8). TIMBRE_KILL_SEED: which moments (default 0).
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "robustness/support.hpp"

namespace timbre::robustness {
namespace {

bool any_file(const fs::path& folder, std::string_view begin, std::string_view end = "") {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), last; !error && it != last; it.increment(error)) {
    const auto name = it->path().filename().string();
    if (name.starts_with(begin) && name.ends_with(end)) return true;
  }
  return false;
}

// Where a process is killed: when something is seen, and up to `slack` seconds later.
struct Moment {
  const char* name;
  std::function<bool()> seen;
  double slack;
};

TEST(KilledRun, EndsWithTheBytesOfAnUninterruptedOne) {
  const int wanted = number_from("TIMBRE_KILLS", 8);
  std::mt19937 random{unsigned(number_from("TIMBRE_KILL_SEED", 0))};
  const auto below = [&](int n) { return int(random() % unsigned(n)); };

  const end_to_end::TemporaryFolder root;
  end_to_end::write_file(root / "run.yaml", small_run());
  const auto whole =
      end_to_end::run_process({run_experiment(), "../run.yaml", "--out", "run"},
                              {.folder = (fs::create_directory(root / "whole"), root / "whole")});
  ASSERT_EQ(whole.status, 0) << whole.err;
  const auto expected_files = files_below(root / "whole");

  const auto work = root / "work", run = work / "run", store = work / "runs/features";
  fs::create_directory(work);
  std::map<std::string, int> kills;
  int total = 0, runs = 0, resumed = 0;
  for (int starts = 0; total < wanted; ++runs) {
    // A run of its own; two of three must extract again.
    fs::remove_all(run);
    if (runs % 3 != 2) fs::remove_all(store);
    const int killed_before = total;
    for (bool finished = false; !finished; ++starts) {
      ASSERT_LT(starts, 40 * wanted + 40) << "the moments never come";
      const int epoch = 1 + below(20);
      const Moment moments[] = {
          {"at any time", [] { return true; }, whole.seconds},
          {"extracting", [&] { return any_file(store, "", ".lock"); }, 0.3 * whole.seconds},
          {"writing the features", [&] { return any_file(store, ".tmp-", ""); }, 0.004},
          {"training",
           [&] {
             return fs::exists(run / "run.log") &&
                    end_to_end::read_file(run / "run.log").find("\nepoch " + std::to_string(epoch) + "/") !=
                        std::string::npos;
           },
           0.02},
          {"writing a checkpoint", [&] { return any_file(run, ".tmp-checkpoint"); }, 0.004},
          {"writing the result", [&] { return any_file(run, ".tmp-result"); }, 0.008},
      };
      const auto& moment = moments[below(int(std::size(moments)))];
      const bool spare = total >= wanted || total - killed_before >= 6;
      Child child({run_experiment(), "../run.yaml", "--out", "run", "--checkpoint-seconds", "0.02",
                   "--threads", std::to_string(1 << below(3))},
                  work);
      if (!spare && child.wait_until(moment.seen)) {
        std::this_thread::sleep_for(std::chrono::duration<double>(moment.slack * below(1000) / 1000.0));
        child.signal(SIGKILL);
      }
      const int status = child.wait();
      resumed += child.err().find("goes on from a checkpoint") != std::string::npos;
      ASSERT_EQ(child.err().find("warning"), std::string::npos) << child.err();
      if (status == 128 + SIGKILL) {
        ++kills[moment.name], ++total;
        // Whatever stands under its own name is whole.
        if (fs::exists(run / "result.h5")) {
          EXPECT_EQ(differences(run / "result.h5", root / "whole/run/result.h5"), std::vector<std::string>{});
        }
      } else {
        ASSERT_EQ(status, 0) << child.err();
        finished = true;
      }
    }
    ASSERT_EQ(differences(run / "result.h5", root / "whole/run/result.h5"), std::vector<std::string>{});
    ASSERT_EQ(files_below(work), expected_files) << "something was left over";
  }
  for (const auto& [name, count] : kills) std::printf("killed %-22s %4d times\n", name.c_str(), count);
  std::printf("%d kills over %d runs, %d starts from a checkpoint; all results identical\n", total, runs,
              resumed);
}

}  // namespace
}  // namespace timbre::robustness
