// The same command gives the same bytes: twice, with one, two and four threads, and on a narrower instruction set
// among themselves.
#include <gtest/gtest.h>

#include "core/isa.hpp"
#include "robustness/support.hpp"

namespace timbre::robustness {
namespace {

struct Case {
  const char* name;
  const char* model;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

// The original's three architectures, smaller but wide enough that every layer has several pieces to share.
const Case cases[] = {
    {"mlp", R"(
  - flatten
  - dense: {units: 160, activation: relu}
  - dropout: 0.2
  - dense: {units: 64, activation: relu}
  - dense: {units: classes, activation: softmax})"},
    {"cnn", R"(
  - conv2d: {filters: 16, kernel_size: [3, 3], activation: relu}
  - max_pooling2d: {pool_size: [3, 3], strides: [2, 2], padding: same}
  - batch_normalization
  - conv2d: {filters: 16, kernel_size: [2, 2], activation: relu}
  - max_pooling2d: {pool_size: [3, 3], strides: [2, 2], padding: same}
  - batch_normalization
  - flatten
  - dense: {units: 32, activation: relu}
  - dropout: 0.3
  - dense: {units: classes, activation: softmax})"},
    {"lstm", R"(
  - lstm: {units: 48, return_sequences: true}
  - lstm: {units: 32}
  - dropout: 0.2
  - dense: {units: classes, activation: softmax})"},
};

class SameBytes : public testing::TestWithParam<Case> {};

TEST_P(SameBytes, TwiceAndWithAnyNumberOfThreads) {
  const end_to_end::TemporaryFolder root;
  end_to_end::write_file(root / "run.yaml", std::string(R"(experiment: same
dataset:
  synthetic: {clips_per_genre: 5, clip_seconds: 4}
  segment_seconds: 1
features: {kind: mfcc, n_mfcc: 13, standardise: true}
regularisation: {l1: 1e-5, l2: 1e-4}
training: {epochs: 3, batch_size: 50}
model:)") + GetParam().model + "\n");
  for (const char* isa : {"", "avx2", "generic"}) {
    if (isa == std::string("avx2") && machine_isa() < Isa::avx2) continue;
    fs::path first;
    for (const char* run : {"1", "2", "4", "2 again", "2 from disk"}) {
      const auto name = std::string(isa) + " threads " + run;
      const auto folder = root / name;
      fs::create_directory(folder);
      // Each in a folder of its own, so that features are extracted anew as well.
      end_to_end::ProcessOptions options{.folder = folder};
      if (*isa) options.environment["TIMBRE_ISA"] = isa;
      std::vector<std::string> arguments = {run_experiment(), "../run.yaml",      "--out", "run",
                                            "--threads",      std::string(run, 1)};
      const bool from_disk = name.ends_with("disk");
      if (from_disk) arguments.insert(arguments.end(), {"--feature-memory", "0"});
      const auto done = end_to_end::run_process(arguments, options);
      ASSERT_EQ(done.status, 0) << done.err;
      EXPECT_EQ(done.err.find("features stay on disk") != std::string::npos, from_disk) << done.err;
      if (first.empty())
        first = folder;
      else
        EXPECT_EQ(differences(folder / "run/result.h5", first / "run/result.h5"), std::vector<std::string>{})
            << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SameBytes, testing::ValuesIn(cases),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Differences, AreSeen) {
  const end_to_end::TemporaryFolder root;
  end_to_end::write_file(root / "run.yaml", small_run());
  const auto go = [&](const std::string& out, const std::string& set) {
    const auto done = end_to_end::run_process(
        {run_experiment(), "run.yaml", "--out", out, "--set", "training.epochs=2", "--set", set},
        {.folder = root.path()});
    ASSERT_EQ(done.status, 0) << done.err;
  };
  go("a", "seed=0"), go("b", "regularisation.l2=1.0001e-4");
  const auto found = differences(root / "a/result.h5", root / "b/result.h5");
  for (const char* name : {"/config", "/history/loss", "/test/probabilities", "/@key"})
    EXPECT_NE(std::find(found.begin(), found.end(), name), found.end()) << name;
}

}  // namespace
}  // namespace timbre::robustness
