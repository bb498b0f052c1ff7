// The commands on tables from elsewhere, and what they write for others.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>

#include "data/tables/table.hpp"
#include "end_to_end/melody.hpp"
#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"
#include "results/run_record.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

Outcome go(const TemporaryFolder& folder, const std::string& tool, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), command(tool));
  return run_process(arguments, {.folder = folder.path()});
}

class ExternalTables : public testing::Test {
 protected:
  /// Three classes that two numbers tell; columns in an order of their own.
  static std::string table(bool swapped, const char* separator) {
    std::mt19937 random(20);
    std::normal_distribution<double> normal;
    std::string out =
        fmt::format("name{0}{1}{0}{2}{0}genre\n", separator, swapped ? "b" : "a", swapped ? "a" : "b");
    for (int i = 0; i < 60; ++i) {
      const double a = normal(random) + 4 * (i % 3), b = normal(random) - 3 * (i % 3);
      out += fmt::format("c{1:02}.wav{0}{2}{0}{3}{0}{4}\n", separator, i, swapped ? b : a, swapped ? a : b,
                         std::string(1, char('x' + i % 3)));
    }
    return out;
  }
  ExternalTables() {
    write_file(folder / "table.csv", table(false, ","));
    write_file(folder / "a.yaml", R"(experiment: a
features: {external: {file: table.csv, ids: name, labels: genre}, standardise: true}
model: [flatten, dense: {units: 8, activation: relu}, dense: {units: classes, activation: softmax}]
training: {epochs: 60, batch_size: 8, optimizer: {adam: {learning_rate: 0.01}}}
)");
  }
  const TemporaryFolder folder;
};

TEST_F(ExternalTables, TrainPredictEvaluateAndReproduce) {
  const auto dry = go(folder, "run_experiment", {"a.yaml", "--dry-run"});
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_NE(dry.out.find("features from elsewhere, (1, 2), of "), dry.out.npos) << dry.out;
  const auto run = go(folder, "run_experiment", {"a.yaml", "--out", "run"});
  ASSERT_EQ(run.status, 0) << run.err;
  const auto record = results::read_result(folder / "run/result.h5");
  EXPECT_GT(record.test->clips.accuracy, 0.8);
  // Audio is refused in one line that says what the model takes.
  ASSERT_TRUE(write_audio(folder / "song.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 3));
  const auto p = go(folder, "predict", {"run/result.h5", "song.wav"});
  EXPECT_EQ(p.status, 2);
  EXPECT_EQ(p.err,
            "predict: the model takes no audio, but features from elsewhere, 2 numbers a segment, as "
            "table.csv has them; "
            "evaluate RESULT --data TABLE scores it on such a table\n");
  // The network leaves without a front end for audio.
  const auto audio = go(folder, "export_model", {"run/result.h5", "-o", "m.onnx", "--from", "audio"});
  EXPECT_EQ(audio.status, 2);
  EXPECT_NE(audio.err.find(
                "--from audio: the model takes no audio, but features from elsewhere, 2 numbers a segment"),
            audio.err.npos)
      << audio.err;
  EXPECT_EQ(go(folder, "export_model", {"run/result.h5", "-o", "m.onnx"}).status, 0);
  // Another table is read by the names of its columns.
  write_file(folder / "other.csv", table(true, ";"));
  const auto same = go(folder, "evaluate", {"run/result.h5", "--data", "table.csv"});
  const auto other = go(folder, "evaluate", {"run/result.h5", "--data", "other.csv", "-o", "other.h5"});
  EXPECT_EQ(same.status, 0) << same.err;
  EXPECT_EQ(other.status, 0) << other.err;
  EXPECT_EQ(same.out, other.out.substr(0, same.out.size()));
  EXPECT_EQ(results::read_result(folder / "other.h5").test->rows(), 60);
  write_file(folder / "wrong.csv", "name,a,c,genre\nx,1,2,x\ny,1,2,y\n");
  const auto wrong = go(folder, "evaluate", {"run/result.h5", "--data", "wrong.csv"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_NE(wrong.err.find("wrong.csv:1:1: has no column 'b' (columns)"), wrong.err.npos) << wrong.err;
  EXPECT_EQ(line_count(wrong.err), 1u) << wrong.err;
  const auto again = go(folder, "reproduce", {"run/result.h5"});
  EXPECT_EQ(again.status, 0) << again.out << again.err;
}

TEST_F(ExternalTables, TellWhatIsWrongWithTheirPlaceInTheConfigurationAndTheFile) {
  write_file(folder / "table.csv", "name,a,b,genre\nu,1,2,x\nv,1,oops,y\n");
  const auto o = go(folder, "run_experiment", {"a.yaml"});
  EXPECT_EQ(o.status, 2);
  EXPECT_NE(o.err.find("a.yaml:2:29: features.external.file: "), o.err.npos) << o.err;
  EXPECT_NE(o.err.find("table.csv:3:5: column 'b': 'oops' is not a number"), o.err.npos) << o.err;
  EXPECT_EQ(line_count(o.err), 1u) << o.err;
}

TEST_F(ExternalTables, AreSharedByTheRunsOfAStudy) {
  write_file(folder / "s.yaml",
             "study: s\nruns:\n  - a.yaml\n  - {config: a.yaml, set: {experiment: b, "
             "features.external.columns: [a]}}\nseeds: [0, 1]\n");
  const auto o = go(folder, "run_study", {"s.yaml", "--set", "training.epochs=2", "--out", "s"});
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(fs::exists(folder / "s/report.html"));
  EXPECT_NE(o.err.find("external (1, 2)"), o.err.npos) << o.err;
  EXPECT_NE(o.err.find("external (1, 1)"), o.err.npos) << o.err;
}

TEST(Embeddings, AreTheOutputsOfALayerForEverySegment) {
  const TemporaryFolder folder;
  write_small_run(folder / "small.yaml", "mlp");
  ASSERT_EQ(go(folder, "run_experiment", {"small.yaml", "--out", "model"}).status, 0);
  ASSERT_TRUE(write_audio(folder / "songs/a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 9));
  ASSERT_TRUE(write_audio(folder / "songs/b.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8500, 1, 7));
  const auto record = results::read_result(folder / "model/result.h5");
  const auto wrong =
      go(folder, "predict", {"model/result.h5", "songs", "--embeddings", "dnse", "-o", "e.npz"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_NE(wrong.err.find("the network has no layer 'dnse'; did you mean 'dense'?"), wrong.err.npos)
      << wrong.err;
  EXPECT_EQ(go(folder, "predict", {"model/result.h5", "songs", "--embeddings", "dense"}).status, 2);
  const auto o =
      go(folder, "predict", {"model/result.h5", "songs", "--embeddings", "dense", "-o", "e.npz", "--csv"});
  ASSERT_EQ(o.status, 0) << o.err;
  const auto read = [&](const std::string& file) {
    std::pair<data::Table, std::vector<float>> out;
    features::ExternalOptions options;
    options.labels = "prediction";
    out.first = data::read_table(options, folder / file, [&](std::span<const float> row) {
      out.second.insert(out.second.end(), row.begin(), row.end());
    });
    return out;
  };
  const auto [table, values] = read("e.npz");
  EXPECT_GT(table.rows, 2);
  EXPECT_EQ(table.ids.front(), "songs/a.wav");
  EXPECT_EQ(table.ids.back(), "songs/b.wav");
  for (const float v : values) EXPECT_GE(v, 0);  // of a relu
  // The last layer, made into probabilities, is what predict prints of each segment.
  const auto last =
      std::to_string(std::count(o.out.begin(), o.out.begin() + std::ptrdiff_t(o.out.find('\n')), ',') - 3);
  const auto layers =
      go(folder, "predict", {"model/result.h5", "songs", "--embeddings", "9999", "-o", "l.npz"}).err;
  const auto name = layers.substr(layers.rfind(' ') + 1, layers.size() - layers.rfind(' ') - 2);
  ASSERT_EQ(go(folder, "predict", {"model/result.h5", "songs", "--embeddings", name, "-o", "l.npz"}).status,
            0)
      << name;
  const auto [scores, logits] = read("l.npz");
  EXPECT_EQ(std::to_string(scores.width), last);
  std::size_t row = 0;
  for (std::size_t at = 0; at < o.out.size();) {
    const auto end = o.out.find('\n', at);
    std::vector<std::string> fields;
    for (auto from = at; from <= end;) {
      const auto stop = std::min(end, o.out.find(',', from));
      fields.push_back(o.out.substr(from, stop - from));
      from = stop + 1;
    }
    at = end + 1;
    if (fields[1] == "all" || fields[1] == "segment") continue;
    const auto* z = logits.data() + row++ * std::size_t(scores.width);
    double sum = 0;
    for (std::int64_t c = 0; c < scores.width; ++c) sum += std::exp(double(z[c]));
    for (std::int64_t c = 0; c < scores.width; ++c)
      EXPECT_NEAR(std::stod(fields[std::size_t(4 + c)]), std::exp(double(z[c])) / sum, 1e-5);
  }
  EXPECT_EQ(std::int64_t(row), scores.rows);
}

TEST(ExtractFeatures, WritesWhatOthersRead) {
  const TemporaryFolder folder;
  write_small_run(folder / "small.yaml", "mlp");
  for (const auto* format : {"npz", "csv", "json"}) {
    const auto o = go(folder, "extract_features", {"small.yaml", "--format", format});
    EXPECT_EQ(o.status, 0) << o.err;
    EXPECT_EQ(last_line(o.out), fmt::format("features: features.{}", format));
    // And a run takes it in place of the audio.
    write_file(
        folder / "t.yaml",
        fmt::format("experiment: t\nfeatures: {{external: {{file: features.{}}}}}\nmodel: [flatten, dense: "
                    "{{units: classes, activation: softmax}}]\ntraining: {{epochs: 1}}\n",
                    format));
    EXPECT_EQ(go(folder, "run_experiment", {"t.yaml", "--dry-run"}).status, 0);
  }
  const auto o = go(folder, "extract_features", {"small.yaml", "--format", "npz", "-o", "f.h5"});
  EXPECT_EQ(o.status, 2);
  EXPECT_EQ(o.err, "extract_features: -o f.h5: --format npz wants a name that ends in .npz\n");
}

}  // namespace
}  // namespace timbre::end_to_end
