// How a study's file becomes runs, and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "audio/wav_file.hpp"
#include "config/node.hpp"
#include "core/philox.hpp"
#include "device/device.hpp"
#include "study/study.hpp"

namespace timbre::study {
namespace {

namespace fs = std::filesystem;

class Studies : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) /
             ("timbre_study_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder);
    fs::create_directories(folder);
    write("net.yaml", R"(experiment: net
dataset: {synthetic: {clips_per_genre: 5, clip_seconds: 3}}
model:
  - flatten
  - dense: {units: 8, activation: relu}
  - dropout: 0.2
  - dense: {units: classes, activation: softmax}
training: {epochs: 3, early_stopping: {patience: 2}}
)");
    write("other.yaml", R"(experiment: other
dataset: {synthetic: {clips_per_genre: 5, clip_seconds: 3}}
features: {kind: log_mel, n_mels: 20}
model:
  - flatten
  - dense: {units: classes, activation: softmax}
)");
  }
  void TearDown() override { fs::remove_all(folder); }

  void write(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }
  Study load(const std::string& text, const std::vector<std::string>& overrides = {},
             const std::vector<std::int64_t>& seeds = {}) {
    write("study.yaml", text);
    return load_study(folder / "study.yaml", overrides, seeds);
  }
  /// The complaint about a study, its place shortened to the file's name.
  std::string refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
    try {
      load(text, overrides);
    } catch (const RequestError& e) {
      std::string message = e.what();
      EXPECT_EQ(message.find('\n'), message.npos) << message;
      const auto begin = folder.string() + "/";
      return message.starts_with(begin) ? message.substr(begin.size()) : message;
    }
    return "no complaint";
  }
  static std::vector<std::string> names(const Study& study) {
    std::vector<std::string> out;
    for (const auto& run : study.runs) out.push_back(run.name);
    return out;
  }

  fs::path folder;
};

TEST_F(Studies, RunEveryCombinationWithEverySeedSeedBySeed) {
  const auto study = load(R"(study: grid
base: net.yaml
axes:
  regularisation.l2: [0, 1e-4]
  training.early_stopping: [null, {patience: 7}]
seeds: [3, 5]
)");
  EXPECT_EQ(names(study),
            (std::vector<std::string>{
                "net l2=0 early_stopping=off seed=3", "net l2=0 early_stopping=patience 7 seed=3",
                "net l2=1e-4 early_stopping=off seed=3", "net l2=1e-4 early_stopping=patience 7 seed=3",
                "net l2=0 early_stopping=off seed=5", "net l2=0 early_stopping=patience 7 seed=5",
                "net l2=1e-4 early_stopping=off seed=5", "net l2=1e-4 early_stopping=patience 7 seed=5"}));
  EXPECT_EQ(study.axes, (std::vector<std::string>{"regularisation.l2", "training.early_stopping"}));
  EXPECT_EQ(study.configurations, 4u);
  EXPECT_EQ(study.feature_sets, 1u);
  const auto& last = study.runs.back();
  EXPECT_EQ(last.configuration, 3u);
  EXPECT_EQ(last.config.seed, 5);
  EXPECT_EQ(last.config.regularisation.l2, 1e-4);
  ASSERT_TRUE(last.config.training.early_stopping);
  EXPECT_EQ(last.config.training.early_stopping->patience, 7);
  EXPECT_FALSE(study.runs.front().config.training.early_stopping)
      << "null switches off what the configuration has";
  std::set<std::string> folders;
  for (const auto& run : study.runs) folders.insert(run.folder);
  EXPECT_EQ(folders.size(), study.runs.size());
  for (const auto& name : folders) EXPECT_EQ(name.find_first_of(" /:{}"), name.npos) << name;
}

TEST_F(Studies, CompareConfigurationsThatShareFeaturesWhereTheyAreTheSame) {
  const auto study =
      load("study: two\nruns: [net.yaml, other.yaml]\nset: {training.epochs: 9}\nseeds: [0, 1]\n");
  EXPECT_EQ(names(study),
            (std::vector<std::string>{"net seed=0", "other seed=0", "net seed=1", "other seed=1"}));
  EXPECT_EQ(study.feature_sets, 2u);
  EXPECT_EQ(study.data.size(), 1u) << "one index for the same data set";
  EXPECT_EQ(study.runs[0].features, study.runs[2].features);
  EXPECT_NE(study.runs[0].features, study.runs[1].features);
  EXPECT_EQ(study.runs[1].config.training.epochs, 9);
}

TEST_F(Studies, TakeAConfigurationTwiceUnderNamesOfTheirOwn) {
  const auto study = load(R"(study: widths
runs: [net.yaml, {config: net.yaml, set: {experiment: wide, "model[1].dense.units": 32}}]
)");
  ASSERT_EQ(study.runs.size(), 2u);
  EXPECT_EQ(study.runs[1].name, "wide seed=0");
  EXPECT_GT(study.plan(study.runs[1]).model.parameter_count(),
            study.plan(study.runs[0]).model.parameter_count());
}

TEST_F(Studies, OverridesApplyToEveryRunAndSeedsCanBeNamed) {
  const auto study =
      load("study: s\nruns: [net.yaml, other.yaml]\nseeds: [0, 1, 2]\n", {"training.epochs=1"}, {8});
  ASSERT_EQ(study.runs.size(), 2u);
  for (const auto& run : study.runs) {
    EXPECT_EQ(run.config.training.epochs, 1);
    EXPECT_EQ(run.config.seed, 8);
  }
}

TEST_F(Studies, NameTheFolderByWhatTheResultDependsOnOnly) {
  const auto text = std::string("study: s\nbase: net.yaml\n");
  const auto folder_of = [&](const std::vector<std::string>& overrides) {
    return load(text, overrides).runs.at(0).folder;
  };
  const auto first = folder_of({});
  EXPECT_EQ(folder_of({}), first);
  EXPECT_EQ(folder_of({"device=cpu"}), first);
  EXPECT_NE(folder_of({"training.epochs=4"}), first);
  EXPECT_NE(folder_of({"model[2].dropout=0.5"}), first);
  EXPECT_NE(folder_of({"features.n_mels=64"}), first);
  EXPECT_NE(folder_of({"split.train=0.5", "split.validation=0.25", "split.test=0.25"}), first);
  EXPECT_NE(folder_of({"dataset.synthetic={clips_per_genre: 6, clip_seconds: 3}"}), first);
}

TEST_F(Studies, DrawDifferentCombinationsAtRandomTheSameEveryTime) {
  const auto text = std::string(R"(study: r
base: net.yaml
axes:
  training.optimizer.adam.learning_rate: {log_uniform: [1e-5, 1e-2]}
  regularisation.dropout: {uniform: [0.1, 0.5]}
  model[1].dense.units: {integer: [4, 9]}
  regularisation.l2: [0, 1e-4]
search: {random: {runs: 40, seed: )");
  const auto study = load(text + "1}}\n"), again = load(text + "1}}\n"), other = load(text + "2}}\n");
  EXPECT_EQ(names(study), names(again));
  EXPECT_NE(names(study), names(other));
  ASSERT_EQ(study.runs.size(), 41u) << "and the base";
  EXPECT_EQ(study.configurations, 41u);
  EXPECT_EQ(study.runs[0].name, "net base seed=0");
  EXPECT_TRUE(study.runs[0].base);
  EXPECT_EQ(std::count_if(study.runs.begin(), study.runs.end(), [](const auto& run) { return run.base; }), 1);
  int small = 0;
  std::set<std::int64_t> parameters;
  for (const auto& run : study.runs) {
    if (run.base) continue;
    const double rate = run.config.training.optimizer->learning_rate();
    EXPECT_GE(rate, 1e-5);
    EXPECT_LE(rate, 1e-2);
    small += rate < 1e-3;
    EXPECT_GE(*run.config.regularisation.dropout, 0.1);
    EXPECT_LE(*run.config.regularisation.dropout, 0.5);
    parameters.insert(study.plan(run).model.parameter_count());
  }
  EXPECT_GT(small, 15) << "two thirds of a logarithmic range lie below its last decade";
  EXPECT_LT(small, 38);
  EXPECT_EQ(parameters.size(), 6u) << "both ends of a whole range are drawn";

  const auto all =
      load("study: r\nbase: net.yaml\naxes: {regularisation.l2: [0, 1, 2]}\nsearch: {random: {runs: 3}}\n");
  const auto drawn = names(all);
  EXPECT_EQ(std::set<std::string>(drawn.begin(), drawn.end()),
            (std::set<std::string>{"net base seed=0", "net l2=1 seed=0", "net l2=2 seed=0"}))
      << "without repetition; the base, which is l2=0, stands for that draw";
  EXPECT_EQ(all.configurations, 3u);
  EXPECT_FALSE(load("study: g\nbase: net.yaml\naxes: {regularisation.l2: [0, 1]}\n").runs[0].base)
      << "of a grid the first is the reference";
}

/// Three seconds that no other seed gives.
std::vector<float> noise(const std::string& seed) {
  std::vector<float> out;
  PhiloxSequence random(std::hash<std::string>{}(seed), 93);
  for (int i = 0; i < 70000; ++i) out.push_back(float(random.uniform(-0.5, 0.5)));
  return out;
}

TEST_F(Studies, AreRefusedInOneLineWithTheirPlace) {
  const auto about = [&](const std::string& text, const std::string& begin, const std::string& words,
                         const std::vector<std::string>& overrides = {}) {
    const auto message = refusal(text, overrides);
    EXPECT_TRUE(message.starts_with(begin)) << message << "\n  wanted at the beginning: " << begin;
    EXPECT_NE(message.find(words), message.npos) << message << "\n  wanted: " << words;
  };
  const std::string head = "study: s\nbase: net.yaml\n";
  about(head + "axes:\n  regularisation.l3: [0]\n", "study.yaml:4:3: regularisation: unknown key 'l3'", "l2");
  about(head + "axes:\n  regularisaton.l2: [0]\n", "study.yaml:4:3: unknown key 'regularisaton'",
        "did you mean 'regularisation'");
  about(head + "axes:\n  model[9].dropout: [0]\n", "study.yaml:4:3: axes.model[9].dropout: model has 4 items",
        "");
  about(head + "axes:\n  regularisation.l2: []\n",
        "study.yaml:4:3: axes: the axis 'regularisation.l2' is empty", "");
  about(head + "axes:\n  regularisation.l2: 0.5\n",
        "study.yaml:4:22: axes.regularisation.l2: must be a sequence of values", "");
  about(head + "axes:\n  regularisation.l2: [0, -1]\n",
        "study.yaml:4:26: regularisation.l2: must be at least 0", "'-1'");
  about(head + "axes:\n  regularisation.l2: [0, much]\n",
        "study.yaml:4:26: regularisation.l2: must be a finite number", "'much'");
  about(head + "axes:\n  regularisation.l2: [1e-4, 0.0001]\n",
        "study.yaml:1:1: 'net l2=1e-4 seed=0' and 'net l2=0.0001 seed=0' are the same run", "");
  about(head + "axes:\n  seed: [0, 1]\n", "study.yaml:4:3: axes: seeds are swept by the key 'seeds'", "");
  about(head + "axes:\n  regularisation.l2: {uniform: [0, 1]}\n",
        "study.yaml:4:3: axes.regularisation.l2: a range is for a random search", "");
  about(head + "axes:\n  regularisation.l2: {uniform: [1, 0]}\nsearch: {random: {runs: 2}}\n",
        "study.yaml:4:32", "less than its second");
  about(head + "axes:\n  regularisation.l2: {log_uniform: [0, 1]}\nsearch: {random: {runs: 2}}\n",
        "study.yaml:4:36", "greater than 0");
  about(head + "axes:\n  regularisation.l2: [0, 1]\nsearch: {random: {runs: 3}}\n",
        "study.yaml:1:1: search.random.runs", "fewer than 3");
  about(head + "search: {random: {runs: 3}}\n", "study.yaml:1:1: search: a random search needs axes", "");
  about(head + "seeds: []\n", "study.yaml:3:1: 'seeds' is empty", "");
  about(head + "seeds: [1, 1]\n", "study.yaml:1:1: seeds: a seed is there twice", "");
  about(head + "seeds: [-1]\n", "study.yaml:3:9: seeds[0]", "at least 0");
  about(head + "jobs: 0\n", "study.yaml:3:7: jobs", "must be at least 1");
  about(head + "on_error: panic\n", "study.yaml:3:11: on_error", "continue, stop");
  about(head + "axis: {}\n", "study.yaml:3:1: unknown key 'axis'", "did you mean 'axes'");
  about("study: s\n", "study.yaml:1:1: a study begins with a configuration", "");
  about("study: s\nruns: []\n", "study.yaml:1:1: a study begins with a configuration", "");
  about(head + "runs: [other.yaml]\n", "study.yaml:1:1: 'base' and 'runs' exclude each other", "");
  about("study: s\nbase: nowhere.yaml\n", "nowhere.yaml: no such file", "");
  about("study: s\nruns: [net.yaml, net.yaml]\n", "study.yaml:2:18: runs[1]: its experiment is 'net'",
        "give it a name of its own");
  about("study: a/b\nbase: net.yaml\n", "study.yaml:1:8: study: must be a name", "");
  about(head + "axes: {dataset.path: [missing]}\n", "study.yaml:3:23: dataset.path:", "missing");
  about(head + "axes:\n  split.test: [0]\n", "study.yaml:4:16: split.test", "");
  // What is set for all runs must not be what they differ in.
  about(head + "axes: {regularisation.l2: [0, 1]}\n",
        "--set regularisation.l2: the study sweeps regularisation.l2", "", {"regularisation.l2=1"});
  about(head + "axes: {regularisation: [{l2: 0}, {l2: 1}]}\n",
        "--set regularisation.l2: the study sweeps regularisation;", "", {"regularisation.l2=1"});
  about(head + "set: {regularisation.l2: 1}\naxes: {regularisation.l2: [0, 1]}\n",
        "study.yaml:3:7: set.regularisation.l2: the study sweeps", "");
  about(head + "seeds: [0, 1]\n", "--set seed: the study sweeps the seed", "", {"seed=4"});
  EXPECT_EQ(refusal(head + "axes: {regularisation.l2: [0, 1]}\n", {"regularisation.l1=1"}), "no complaint");
  EXPECT_EQ(
      refusal(head +
              "set: {training.optimizer: sgd}\naxes: {training.optimizer.sgd.learning_rate: [0.1, 0.2]}\n"),
      "no complaint");
  for (const std::string genre : {"blues", "jazz"}) {
    fs::create_directories(folder / "songs" / genre);
    for (const auto* clip : {"1.wav", "2.wav", "3.wav", "4.wav", "5.wav"})
      test::write_wav(folder / "songs" / genre / clip, noise(genre + clip), 22050);
  }
  about("study: s\nruns: [net.yaml, {config: other.yaml, set: {dataset: {path: songs}}}]\n",
        "study.yaml:1:1: its runs are of different genres", "blues, jazz");
}

TEST_F(Studies, KeepTheFeaturesOfDevicesApart) {
  const auto with = [&](const std::string& device) {
    return load(
        "study: s\nruns: [{config: net.yaml, set: {device: cpu}}, {config: net.yaml, set: {experiment: b, "
        "regularisation.l2: 0.1, device: " +
        device + "}}]\n");
  };
  const auto both = with("cuda");
  EXPECT_NE(both.runs[0].features, both.runs[1].features) << "a CPU run would train on a GPU's features";
  EXPECT_EQ(both.feature_sets, 2u);
  EXPECT_EQ(both.runs[0].data, both.runs[1].data);
  EXPECT_EQ(with("cpu").feature_sets, 1u);
  EXPECT_EQ(with("auto").feature_sets, device::choose("auto").name == "cpu" ? 1u : 2u);
}

TEST_F(Studies, KnowRunsByTheirWholeKey) {
  const auto study = load("study: s\nbase: net.yaml\naxes: {regularisation.l2: [0, 0.1]}\n");
  const auto key = run::configuration_key(study.plan(study.runs[0]));
  EXPECT_EQ(key.size(), 32u) << "8 digits of two of 10,000 runs agree in one study of a hundred";
  EXPECT_TRUE(study.runs[0].folder.ends_with("_" + key.substr(0, 8))) << study.runs[0].folder;
  RunFolders folders;
  const std::string long_name(200, 'x'), one = "12345678aaaa", other = "12345678bbbb";
  EXPECT_EQ(folders.name("a b/c", one), "a_b-c_12345678");
  const auto first = folders.name(long_name + "1", one), second = folders.name(long_name + "2", other);
  EXPECT_TRUE(first.ends_with("xx_12345678")) << first;
  EXPECT_TRUE(second.ends_with("xx_12345678bbbb")) << second;
}

}  // namespace
}  // namespace timbre::study
