// Models that leave and come back, by the commands: exported, imported, scored, shown.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "end_to_end/melody.hpp"
#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

/// One run for all tests of this file, with event files.
class ModelsLeave : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    write_small_run(*folder_ / "small.yaml", "cnn");
    const auto o = run_process({command("run_experiment"), "small.yaml", "--out", "model", "--tensorboard"},
                               {.folder = folder_->path()});
    ASSERT_EQ(o.status, 0) << o.err;
    EXPECT_NE(o.err.find("tensorboard --logdir model/tensorboard"), std::string::npos) << o.err;
    EXPECT_EQ(last_line(o.out), "result: model/result.h5");
    ASSERT_TRUE(write_audio(*folder_ / "song.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 22050, 1, 7));
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static Outcome run(std::vector<std::string> arguments) {
    arguments[0] = command(arguments[0]);
    return run_process(arguments, {.folder = folder_->path()});
  }
  static nlohmann::json predictions(const std::string& result) {
    const auto o = run({"predict", result, "song.wav", "--json"});
    EXPECT_EQ(o.status, 0) << o.err;
    return nlohmann::json::parse(o.out);
  }
  static std::unique_ptr<TemporaryFolder> folder_;
};
std::unique_ptr<TemporaryFolder> ModelsLeave::folder_;

TEST_F(ModelsLeave, AsKerasFilesAndComeBackToPredictTheSame) {
  const auto before = predictions("model/result.h5");
  for (const std::string file : {"model.keras", "model.h5"}) {
    auto o = run({"export_model", "model/result.h5", "-o", file});
    ASSERT_EQ(o.status, 0) << o.err;
    EXPECT_EQ(o.out, "model: " + file + "\n");
    o = run({"import_model", file, "-o", "imported.h5"});
    ASSERT_EQ(o.status, 0) << o.err;
    EXPECT_EQ(o.out, "result: imported.h5\n");
    EXPECT_EQ(o.err, "");
    EXPECT_EQ(predictions("imported.h5"), before);
  }
  const auto shown = run({"inspect", "imported.h5"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_NE(shown.out.find("imported"), std::string::npos) << shown.out;
  const auto again = run({"reproduce", "imported.h5"});
  EXPECT_EQ(again.status, 2);
  EXPECT_NE(again.err.find("was trained elsewhere, and imported; it cannot be made again"),
            std::string::npos);
  const auto scored = run({"evaluate", "imported.h5", "--data", "small.yaml", "-o", "scored.h5"});
  EXPECT_EQ(scored.status, 0) << scored.err;
  EXPECT_NE(scored.out.find("of 50 clips"), std::string::npos) << scored.out;
}

TEST_F(ModelsLeave, AsOnnxFiles) {
  for (const std::string from : {"features", "audio"}) {
    const auto o = run({"export_model", "model/result.h5", "-o", from + ".onnx", "--from", from});
    ASSERT_EQ(o.status, 0) << o.err;
    const auto again = run({"export_model", "model/result.h5", "-o", "again.onnx", "--from", from});
    EXPECT_EQ(read_file(*folder_ / "again.onnx"), read_file(*folder_ / (from + ".onnx")));
  }
}

TEST_F(ModelsLeave, OrNothingIsWritten) {
  const auto refused = [&](std::vector<std::string> arguments, int status, const std::string& what) {
    const auto o = run(std::move(arguments));
    EXPECT_EQ(o.status, status) << o.err;
    EXPECT_EQ(line_count(o.err), 1u) << o.err;
    EXPECT_NE(o.err.find(what), std::string::npos) << o.err;
    EXPECT_EQ(o.out, "");
  };
  refused({"export_model", "model/result.h5", "-o", "model.pb"}, 2,
          "model.pb: the extension of --output says what is written; known: .onnx, .keras, .h5");
  refused({"export_model", "model/result.h5", "-o", "x.keras", "--from", "audio"}, 2, "--from audio: ");
  refused({"export_model", "song.wav", "-o", "x.onnx"}, 2, "song.wav: ");
  refused({"import_model", "song.wav", "-o", "x.h5"}, 2, "song.wav: is not an HDF5 file");
  refused({"import_model", "model/result.h5", "-o", "x.h5"}, 2,
          "model/result.h5: is a result of Timbre, which predict and evaluate use as it is");
  refused({"import_model", "none.keras", "-o", "x.h5"}, 2, "none.keras: no such file");
  ASSERT_EQ(run({"export_model", "model/result.h5", "-o", "whole.keras"}).status, 0);
  const auto whole = read_file(*folder_ / "whole.keras");
  write_file(*folder_ / "cut.keras", whole.substr(0, whole.size() / 2));
  refused({"import_model", "cut.keras", "-o", "x.h5"}, 1,
          "cut.keras: is not a zip archive, or it is cut short");
  refused({"import_model", "whole.keras", "-o", "x.h5", "--labels", "a,b"}, 2,
          "2 labels, and the model tells 10 classes apart");
  for (const auto* file : {"model.pb", "x.keras", "x.onnx", "x.h5"})
    EXPECT_FALSE(fs::exists(*folder_ / file)) << file;
}

TEST_F(ModelsLeave, WithACard) {
  const auto o = run({"inspect", "model/result.h5", "--card"});
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(o.out.starts_with("# small_cnn\n")) << o.out;
  EXPECT_NE(o.out.find("## What it was not tested on"), std::string::npos) << o.out;
}

TEST_F(ModelsLeave, WithEventFiles) {
  const auto file = *folder_ / "model/tensorboard/events.out.tfevents.timbre";
  const auto bytes = read_file(file);
  for (const auto* tag : {"brain.Event:2", "epoch/val_accuracy", "_hparams_/session_start_info",
                          "confusion/test", "report/compared", "model_card"})
    EXPECT_NE(bytes.find(tag), std::string::npos) << tag;
  // A finished run writes the same again.
  fs::remove(file);
  ASSERT_EQ(run({"run_experiment", "small.yaml", "--out", "model", "--tensorboard"}).status, 0);
  EXPECT_TRUE(read_file(file) == bytes);
}

TEST_F(ModelsLeave, OfAStudyShowTestFiguresOfTheChosenAlone) {
  write_file(*folder_ / "study.yaml",
             "study: s\nbase: small.yaml\naxes: {training.epochs: [1, 2]}\nseeds: [0]\n");
  const auto o = run({"run_study", "study.yaml", "--out", "study", "--tensorboard"});
  ASSERT_EQ(o.status, 0) << o.err;
  std::size_t boards = 0, tested = 0;
  for (const auto& entry : fs::directory_iterator(*folder_ / "study/tensorboard")) {
    const auto bytes = read_file(entry.path() / "events.out.tfevents.timbre");
    if (entry.path().filename() == "study") {
      EXPECT_NE(bytes.find("report/findings"), std::string::npos);
      continue;
    }
    ++boards, tested += bytes.find("test/clip_accuracy") != std::string::npos;
    EXPECT_NE(bytes.find("training.epochs"), std::string::npos);
  }
  EXPECT_EQ(boards, 2u);
  EXPECT_EQ(tested, 1u);
}

/// The example, built against an installed prefix as another project would, classifies as predict does.
TEST_F(ModelsLeave, IntoAnotherProgram) {
  const auto prefix = *folder_ / "prefix", build = *folder_ / "example";
  const auto step = [&](const std::vector<std::string>& arguments) {
    const auto o = run_process(arguments, {.folder = folder_->path()});
    ASSERT_EQ(o.status, 0) << o.out << o.err;
  };
  step({"cmake", "--install", fs::path(TIMBRE_BIN_DIR).parent_path().string(), "--prefix", prefix.string()});
  EXPECT_TRUE(fs::exists(prefix / "include/timbre/classifier.hpp"));
  std::size_t headers = 0;
  for (const auto& entry : fs::recursive_directory_iterator(prefix / "include"))
    headers += entry.is_regular_file();
  EXPECT_EQ(headers, 1u);  // the public ones, and no others
  // A program that uses a library with sanitizers has them, too.
#if defined(__SANITIZE_ADDRESS__)
  const std::string flags = "-fsanitize=address,undefined";
#elif defined(__SANITIZE_THREAD__)
  const std::string flags = "-fsanitize=thread";
#else
  const std::string flags;
#endif
  step({"cmake", "-S", TIMBRE_SOURCE_DIR "/tests/embed", "-B", build.string(),
        "-DCMAKE_PREFIX_PATH=" + prefix.string(), "-DCMAKE_CXX_FLAGS=" + flags});
  step({"cmake", "--build", build.string()});
  // The samples of song.wav: 16 bits behind a head of 44 bytes.
  const auto wav = read_file(*folder_ / "song.wav");
  std::string samples;
  for (std::size_t at = 44; at + 1 < wav.size(); at += 2) {
    const auto v = float(std::int16_t(std::uint16_t(std::uint8_t(wav[at])) |
                                      std::uint16_t(std::uint8_t(wav[at + 1])) << 8)) /
                   32768;
    samples.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  write_file(*folder_ / "song.f32", samples);
  const auto o = run_process({(build / "classify").string(), "model/result.h5", "song.f32"},
                             {.folder = folder_->path()});
  ASSERT_EQ(o.status, 0) << o.err;
  const auto expected = predictions("model/result.h5")[0];
  EXPECT_EQ(last_line(o.out), "genre: " + expected.at("prediction").get<std::string>());
  for (const auto& [genre, p] : expected.at("probabilities").items()) {
    const auto at = o.out.find(genre + " ");
    ASSERT_NE(at, std::string::npos) << genre;
    EXPECT_NEAR(std::stod(o.out.substr(at + genre.size() + 1)), p.get<double>(), 1e-6) << genre;
  }
  const auto none =
      run_process({(build / "classify").string(), "song.wav", "song.f32"}, {.folder = folder_->path()});
  EXPECT_EQ(none.status, 1);
  EXPECT_EQ(line_count(none.err), 1u) << none.err;
}

}  // namespace
}  // namespace timbre::end_to_end
