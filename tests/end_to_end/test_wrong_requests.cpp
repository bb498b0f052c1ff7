// What a person gets wrong is answered at once: exit status 2, one line that names the place and the remedy,
// and nothing left behind.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <regex>

#include "end_to_end/process.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

const std::string right = R"(experiment: wrong
seed: 0
dataset:
  synthetic: {clips_per_genre: 5, clip_seconds: 3}
  segment_seconds: 3
features: {kind: mfcc, n_mfcc: 13}
split: {group_by: clip, train: 0.6, validation: 0.2, test: 0.2}
model:
  - flatten
  - dense: {units: 8, activation: relu}
  - dropout: 0.2
  - dense: {units: classes, activation: softmax}
training:
  epochs: 1
  batch_size: 20
  optimizer: {adam: {learning_rate: 0.001}}
)";

/// `from` in the right configuration becomes `to`; the complaint stands at `line` and contains `words`.
struct WrongFile {
  std::string name, from, to;
  int line;
  std::string words;
};

// Names of parameters in the listing of tests, instead of their bytes.
void PrintTo(const WrongFile& c, std::ostream* out) { *out << c.name; }

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

std::string alias_bomb() {
  std::string out = "a: &a [1,1,1,1,1,1,1,1,1,1]\n";
  for (char c = 'b'; c < 'k'; ++c)
    out +=
        fmt::format("{0}: &{0} [{1}*{2}]\n", c, repeated(fmt::format("*{}, ", char(c - 1)), 9), char(c - 1));
  return out;
}

const std::vector<WrongFile> wrong_files = {
    {"SegmentShorterThanAFrame", "segment_seconds: 3\nfeatures: {kind: mfcc, n_mfcc: 13}",
     "segment_seconds: 0.05\nfeatures: {kind: mfcc, n_mfcc: 13, center: false}", 6,
     "features: a segment of 1103 samples is shorter than one frame"},
    {"SyntheticClipsAtAnotherRate", "n_mfcc: 13", "n_mfcc: 13, sample_rate: 16000", 4, "dataset.synthetic: "},
    {"ListThatIsNotThere", "train: 0.6, validation: 0.2, test: 0.2",
     "train: none.txt, validation: none.txt, test: none.txt", 7, "split.train: none.txt: no such file"},
    {"GroupsThatAreNotThere", "group_by: clip", "group_by: clip, groups: none.csv", 7,
     "split.groups: none.csv: no such file"},
    {"UnknownKeyAtTheTop", "seed: 0", "sede: 0", 2, "did you mean 'seed'"},
    {"UnknownKeyOfALayer", "units: 8", "unit: 8", 10,
     "model[1].dense: unknown key 'unit'; did you mean 'units'"},
    {"UnknownKeyOfTheFeatures", "n_mfcc: 13", "n_mfc: 13", 6, "did you mean 'n_mfcc'"},
    {"UnknownKeyOfTheOptimizer", "learning_rate: 0.001", "lr: 0.001", 16, "unknown key 'lr'"},
    {"UnknownKeyOfTheSyntheticGenres", "clip_seconds: 3", "clip_second: 3", 4, "did you mean 'clip_seconds'"},
    {"TextForANumber", "epochs: 1", "epochs: many", 14,
     "training.epochs: must be a whole number, not 'many'"},
    {"QuotedNumber", "units: 8", "units: '8'", 10, "model[1].dense.units"},
    {"FractionForAWholeNumber", "batch_size: 20", "batch_size: 2.5", 15,
     "training.batch_size: must be a whole number"},
    {"NotANumber", "learning_rate: 0.001", "learning_rate: .nan", 16, "finite"},
    {"Infinity", "segment_seconds: 3", "segment_seconds: .inf", 5, "finite"},
    {"HugeNumber", "epochs: 1", "epochs: 99999999999999999999", 14, "out of range"},
    {"MapForANumber", "epochs: 1", "epochs: {n: 1}", 14, "training.epochs"},
    {"SequenceForAMap", "features: {kind: mfcc, n_mfcc: 13}", "features: [mfcc, 13]", 6,
     "features[1]: unknown feature '13'"},
    {"EpochsZero", "epochs: 1", "epochs: 0", 14, "between 1 and"},
    {"BatchSizeZero", "batch_size: 20", "batch_size: 0", 15, "between 1 and"},
    {"UnitsZero", "units: 8", "units: 0", 10, "between 1 and"},
    {"UnitsHuge", "units: 8", "units: 2000000000", 10, "units"},
    {"DropoutOfOne", "dropout: 0.2", "dropout: 1.0", 11, "less than 1"},
    {"NegativeDropout", "dropout: 0.2", "dropout: -0.1", 11, "at least 0"},
    {"NegativeLearningRate", "learning_rate: 0.001", "learning_rate: -0.001", 16, "greater than 0"},
    {"NegativePenalty", "training:", "regularisation: {l2: -1}\ntraining:", 13, "regularisation.l2"},
    {"NegativeSeed", "seed: 0", "seed: -1", 2, "seed"},
    {"SegmentSecondsZero", "segment_seconds: 3", "segment_seconds: 0", 5, "segment_seconds"},
    {"FractionsThatDoNotSumToOne", "test: 0.2", "test: 0.5", 7, "split"},
    {"NegativeFraction", "train: 0.6, validation: 0.2, test: 0.2", "train: 1.2, validation: -0.4, test: 0.2",
     7, "split"},
    {"UnknownGrouping", "group_by: clip", "group_by: song", 7, "clip, artist, segment"},
    {"FoldThatIsNotThere", "train: 0.6, validation: 0.2, test: 0.2", "folds: 5, fold: 5", 7, "fold"},
    {"MissingSplitList", "train: 0.6, validation: 0.2, test: 0.2",
     "lists: {train: no.txt, validation: no.txt, test: no.txt}", 7, "no.txt"},
    {"MissingGroupsFile", "test: 0.2}", "test: 0.2, groups: no_groups.txt}", 7, "no_groups.txt"},
    {"UnknownFeature", "kind: mfcc", "kind: mfccs", 6, "mfcc"},
    {"MoreCoefficientsThanMels", "n_mfcc: 13", "n_mfcc: 40, n_mels: 32", 6, "n_mfcc"},
    {"FrameLengthOfZero", "n_mfcc: 13", "n_fft: 0", 6, "n_fft"},
    {"HopOfZero", "n_mfcc: 13", "hop_length: 0", 6, "hop_length"},
    {"WindowLongerThanTheFrame", "n_mfcc: 13", "n_fft: 512, win_length: 1024", 6, "win_length"},
    {"LowestFrequencyAboveTheHighest", "n_mfcc: 13", "fmin: 5000, fmax: 100", 6, "fm"},
    {"UnknownWindow", "n_mfcc: 13", "window: hanning_ish", 6, "window"},
    {"UnknownLayer", "- flatten", "- flaten", 9, "did you mean 'flatten'"},
    {"LayerWithTwoNames", "- dense: {units: 8, activation: relu}", "- {dense: {units: 8}, dropout: 0.1}", 10,
     "model[1]"},
    {"UnknownActivation", "activation: relu", "activation: rellu", 10, "one of linear, relu"},
    {"UnknownOptimizer", "{adam: {learning_rate: 0.001}}", "{adamm: {learning_rate: 0.001}}", 16,
     "did you mean 'adam'"},
    {"UnknownLoss", "epochs: 1", "epochs: 1\n  loss: cross_entropi", 15, "cross_entropy"},
    {"UnknownMonitor", "epochs: 1", "epochs: 1\n  early_stopping: {monitor: valloss, patience: 3}", 15,
     "val_loss"},
    {"NegativePatience", "epochs: 1", "epochs: 1\n  early_stopping: {monitor: val_loss, patience: -3}", 15,
     "patience"},
    {"ModelThatDoesNotEndInSoftmax", "activation: softmax", "activation: relu", 12, "softmax"},
    {"ModelThatDoesNotEndInClasses", "units: classes", "units: 7", 12, "class"},
    {"RecurrentLayerAfterFlatten", "- dense: {units: 8, activation: relu}", "- lstm: {units: 8}", 10,
     "model[1].lstm"},
    {"KernelLargerThanItsInput", "- flatten", "- conv2d: {filters: 4, kernel_size: [200, 3]}\n  - flatten", 9,
     "model[0].conv2d"},
    {"DenseWithoutUnits", "units: 8, activation: relu", "activation: relu", 10, "'units' is missing"},
    {"UnknownDevice", "seed: 0", "device: tpu", 2, "auto, cpu, cuda"},
    {"PathAndManifestTogether", "synthetic: {clips_per_genre: 5, clip_seconds: 3}",
     "path: here\n  manifest: there.csv", 4, "manifest"},
    {"NoDataSet", "synthetic: {clips_per_genre: 5, clip_seconds: 3}\n  ", "", 4, "dataset"},
    {"MissingDataSet", "synthetic: {clips_per_genre: 5, clip_seconds: 3}", "path: nowhere/genres", 4,
     "nowhere/genres"},
    {"MissingManifest", "synthetic: {clips_per_genre: 5, clip_seconds: 3}", "manifest: nowhere.csv", 4,
     "nowhere.csv"},
    {"FileAsDataSet", "synthetic: {clips_per_genre: 5, clip_seconds: 3}", "path: wrong.yaml", 4,
     "wrong.yaml"},
    {"ClipsShorterThanASegment", "segment_seconds: 3", "segment_seconds: 4", 4, "shorter than one segment"},
    {"TooFewClipsForTheSplit", "clips_per_genre: 5", "clips_per_genre: 1", 7, "split"},
    {"NegativeNumberOfClips", "clips_per_genre: 5", "clips_per_genre: -5", 4, "clips_per_genre"},
    {"DuplicateKey", "seed: 0", "seed: 0\nseed: 1", 3, "given twice"},
    {"BadIndentation", "seed: 0", "  seed: 0", 2, "not YAML"},
    {"UnclosedBracket", "{kind: mfcc, n_mfcc: 13}", "{kind: mfcc, n_mfcc: 13", 0, "not YAML"},
    {"UnknownAlias", "seed: 0", "seed: *nobody", 2, "not YAML"},
    {"TwoDocuments", "seed: 0", "seed: 0\n---\nseed: 1", 1, "more than one YAML document"},
    {"DeepNesting", "seed: 0", "seed: " + repeated("[", 60) + repeated("]", 60), 2, "nested deeper"},
};

/// A whole file that is no configuration.
struct NoConfiguration {
  std::string name, text, words;
};
void PrintTo(const NoConfiguration& c, std::ostream* out) { *out << c.name; }
const std::vector<NoConfiguration> no_configurations = {
    {"Empty", "", "empty"},
    {"OnlyAComment", "# nothing\n", "empty"},
    {"Sequence", "- a\n- b\n", "a map"},
    {"Scalar", "lstm\n", "a map"},
    {"Binary",
     std::string("\x7f"
                 "ELF\0\1\2\3",
                 8),
     "not a text file"},
    {"AliasBomb", alias_bomb(), "values"},
    {"BottomlessNesting", repeated("[", 100000), ""},
    {"EmptyModel",
     std::string(right).replace(right.find("  - flatten"),
                                right.find("training:") - right.find("  - flatten"), "  []\n"),
     "model"},
    {"NoModel",
     std::string(right).replace(right.find("model:"), right.find("training:") - right.find("model:"), ""),
     "model"},
};

/// Arguments after the name of a right configuration.
struct WrongArguments {
  std::string name;
  std::vector<std::string> arguments;
  std::string words;
};
void PrintTo(const WrongArguments& c, std::ostream* out) { *out << c.name; }
const std::vector<WrongArguments> wrong_arguments = {
    {"SetOfAnUnknownKey", {"--set", "model[1].dense.unit=3"}, "--set model[1].dense.unit: "},
    {"SetOfTheWrongType", {"--set", "training.epochs=many"}, "--set training.epochs: must be a whole number"},
    {"SetOutOfRange", {"--set", "training.epochs=0"}, "--set training.epochs: must be between 1 and"},
    {"SetWithoutValue", {"--set", "training.epochs"}, "--set training.epochs: "},
    {"SetOfALayerThatIsNotThere", {"--set", "model[9].dense.units=3"}, "--set model[9].dense.units: "},
    {"SetOfAnEmptyKey", {"--set", "training..epochs=3"}, "--set training..epochs: "},
    {"SetOfNoYaml", {"--set", "training.epochs=[1"}, "--set training.epochs"},
    {"SetOfAMissingDataSet", {"--set", "dataset.path=nowhere"}, "nowhere"},
    {"SetOfAnImpossibleShape",
     {"--set", "model[0]={lstm: {units: 4}}", "--set", "model[1]={lstm: {units: 4}}"},
     "model[1].lstm"},
    {"UnknownDevice", {"--device", "tpu"}, "tpu"},
    {"UnknownFlag", {"--frobnicate"}, "--frobnicate"},
    {"TwoConfigurations", {"another.yaml"}, "another.yaml"},
    {"NegativeThreads", {"--threads", "-1"}, "threads"},
    {"TextForThreads", {"--threads", "all"}, "threads"},
};

const std::string config_name = "wrong.yaml";

/// The outcome is a refusal: status 2, one line that contains `words`, and nothing new in the folder.
void expect_refusal(const Outcome& o, const TemporaryFolder& folder, const std::string& words) {
  EXPECT_EQ(o.status, 2) << o.err;
  EXPECT_EQ(line_count(o.err), 1u) << o.err;
  EXPECT_TRUE(o.err.ends_with("\n")) << o.err;
  EXPECT_LT(o.err.size(), 1000u) << o.err;
  EXPECT_NE(o.err.find(words), o.err.npos) << o.err << "lacks: " << words;
  EXPECT_EQ(o.out, "");
  for (const auto& entry : fs::directory_iterator(folder.path()))
    EXPECT_TRUE(entry.path().filename() == config_name || entry.path().filename() == "given") << entry.path();
}

Outcome run_here(const TemporaryFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), command("run_experiment"));
  return run_process(arguments, {.folder = folder.path(), .limit_seconds = 60});
}

TEST(WrongRequests, AreAtLeastThirtyFive) {
  EXPECT_GE(wrong_files.size() + no_configurations.size() + wrong_arguments.size(), 35u);
}

TEST(WrongRequests, TheConfigurationTheyStartFromIsRight) {
  TemporaryFolder folder;
  write_file(folder / config_name, right);
  const auto o = run_here(folder, {config_name, "--dry-run"});
  EXPECT_EQ(o.status, 0) << o.err;
}

class WrongFiles : public testing::TestWithParam<WrongFile> {};
TEST_P(WrongFiles, AreRefusedWithTheirPlace) {
  const auto& c = GetParam();
  TemporaryFolder folder;
  auto text = right;
  const auto at = text.find(c.from);
  ASSERT_NE(at, text.npos);
  write_file(folder / config_name, text.replace(at, c.from.size(), c.to));
  const auto o = run_here(folder, {config_name});
  expect_refusal(o, folder, c.words);
  std::smatch place;
  ASSERT_TRUE(std::regex_search(o.err, place, std::regex("wrong\\.yaml:([0-9]+):([0-9]+): "))) << o.err;
  if (c.line > 0) {
    EXPECT_EQ(place[1].str(), std::to_string(c.line)) << o.err;
  }
}
INSTANTIATE_TEST_SUITE_P(WrongRequests, WrongFiles, testing::ValuesIn(wrong_files),
                         [](const auto& c) { return c.param.name; });

class NoConfigurations : public testing::TestWithParam<NoConfiguration> {};
TEST_P(NoConfigurations, AreRefusedWithTheirPlace) {
  TemporaryFolder folder;
  write_file(folder / config_name, GetParam().text);
  const auto o = run_here(folder, {config_name});
  expect_refusal(o, folder, GetParam().words);
  EXPECT_TRUE(std::regex_search(o.err, std::regex("wrong\\.yaml:[0-9]+:[0-9]+: "))) << o.err;
}
INSTANTIATE_TEST_SUITE_P(WrongRequests, NoConfigurations, testing::ValuesIn(no_configurations),
                         [](const auto& c) { return c.param.name; });

class WrongCommandLines : public testing::TestWithParam<WrongArguments> {};
TEST_P(WrongCommandLines, AreRefusedByName) {
  TemporaryFolder folder;
  write_file(folder / config_name, right);
  std::vector<std::string> arguments{config_name};
  arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  expect_refusal(run_here(folder, arguments), folder, GetParam().words);
}
INSTANTIATE_TEST_SUITE_P(WrongRequests, WrongCommandLines, testing::ValuesIn(wrong_arguments),
                         [](const auto& c) { return c.param.name; });

TEST(WrongRequests, AConfigurationThatIsNotThereIsNamed) {
  TemporaryFolder folder;
  expect_refusal(run_here(folder, {"no_such.yaml"}), folder, "no_such.yaml");
}

TEST(WrongRequests, AFolderIsNoConfiguration) {
  TemporaryFolder folder;
  fs::create_directory(folder / "given");
  expect_refusal(run_here(folder, {"given"}), folder, "given");
}

TEST(WrongRequests, NoConfigurationAtAllIsRefused) {
  TemporaryFolder folder;
  expect_refusal(run_here(folder, {}), folder, "--help");
}

TEST(WrongRequests, AnUnknownInstructionSetIsNamed) {
  TemporaryFolder folder;
  write_file(folder / config_name, right);
  const auto done = run_process({std::string(TIMBRE_BIN_DIR) + "/run_experiment", config_name},
                                {.folder = folder.path(), .environment = {{"TIMBRE_ISA", "avx9"}}});
  expect_refusal(done, folder, "TIMBRE_ISA=avx9: known: generic, avx2, avx512");
}

TEST(WrongRequests, AClassWithOneClipIsNamed) {
  TemporaryFolder folder;
  // 3 s of silence, 16-bit PCM at 22,050 Hz.
  const std::string silence(2 * 66150, '\0');
  const auto word = [](std::uint32_t v, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += char(v >> (8 * i) & 255);
    return out;
  };
  const auto wave = "RIFF" + word(36 + std::uint32_t(silence.size()), 4) + "WAVEfmt " + word(16, 4) +
                    word(1, 2) + word(1, 2) + word(22050, 4) + word(44100, 4) + word(2, 2) + word(16, 2) +
                    "data" + word(std::uint32_t(silence.size()), 4) + silence;
  for (int i = 0; i < 5; ++i) write_file(folder / "given/many" / fmt::format("{}.wav", i), wave);
  write_file(folder / "given/lonely/0.wav", wave);
  auto text = right;
  const std::string synthetic = "synthetic: {clips_per_genre: 5, clip_seconds: 3}";
  write_file(folder / config_name, text.replace(text.find(synthetic), synthetic.size(), "path: given"));
  expect_refusal(run_here(folder, {config_name}), folder, "lonely");
}

}  // namespace
}  // namespace timbre::end_to_end
