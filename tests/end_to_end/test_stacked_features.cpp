// A list of features from files to result, prediction and tables.
#include <gtest/gtest.h>

#include "end_to_end/melody.hpp"
#include "end_to_end/process.hpp"
#include "storage/hdf5.hpp"

namespace timbre::end_to_end {
namespace {

class StackedFeatures : public testing::Test {
 protected:
  const TemporaryFolder folder;
  StackedFeatures() {
    int rate = 8000;  // another pitch for each, so that no two are near duplicates
    for (const char* genre : {"high", "low"})
      for (const char* clip : {"0.wav", "1.wav", "2.wav", "3.wav", "4.wav", "5.wav"})
        EXPECT_TRUE(write_audio(folder / "songs" / genre / clip, SF_FORMAT_WAV | SF_FORMAT_PCM_16,
                                rate += 250, 1, 1.97));
    write_file(folder / "a.yaml", R"(experiment: a
dataset: {path: songs, segment_seconds: 1}
features: [{log_mel: {n_fft: 512, hop_length: 256, n_mels: 16, delta: 1}}, {chroma_stft: {n_fft: 512, hop_length: 256}}, {rms: {hop_length: 256}}]
model: [flatten, dense: {units: classes, activation: softmax}]
training: {epochs: 2, batch_size: 20}
)");
  }
  Outcome go(const std::string& tool, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), command(tool));
    return run_process(arguments, {.folder = folder.path()});
  }
};

TEST_F(StackedFeatures, TrainPredictAndAreMadeAgain) {
  const auto o = go("run_experiment", {"a.yaml", "--set", "features.standardise=true", "--set",
                                       "features.summary=[mean, std]", "--out", "run"});
  ASSERT_EQ(o.status, 0) << o.err;
  EXPECT_NE(o.err.find("log_mel + chroma_stft + rms (1, 90)"), o.err.npos) << o.err;
  EXPECT_EQ(storage::H5File::open(folder / "run/result.h5").shape("/features/mean"), Shape({90}));
  const auto p = go("predict", {"run/result.h5", "songs/high/0.wav"});
  EXPECT_EQ(p.status, 0) << p.err;
  EXPECT_NE(p.out.find("(1 segment, "), p.out.npos) << p.out;
  const auto again = go("reproduce", {"run/result.h5"});
  EXPECT_EQ(again.status, 0) << again.out << again.err;
  EXPECT_NE(go("inspect", {"run/result.h5", "--card"}).out.find("rms, frames of 2048 samples every 256"),
            std::string::npos);
  const auto exported = go("export_model", {"run/result.h5", "--from", "audio", "-o", "m.onnx"});
  EXPECT_EQ(exported.status, 1);
  EXPECT_EQ(exported.err, "export_model: features.kind: chroma_stft has no mapping to ONNX\n");
}

TEST_F(StackedFeatures, GoIntoTablesThatAreReadBack) {
  for (const std::string format : {"h5", "npz", "csv", "json"}) {
    SCOPED_TRACE(format);
    const auto o = go("extract_features", {"a.yaml", "-o", "f." + format});
    ASSERT_EQ(o.status, 0) << o.err;
    const auto back =
        go("run_experiment", {"a.yaml", "--set", "features={external: {file: f." + format + "}}", "--set",
                              "dataset.external=true", "--dry-run"});
    EXPECT_EQ(back.status, 0) << back.err;
    EXPECT_NE(back.out.find(format == "csv" ? "(1, 3915)" : "(87, 45)"), back.out.npos) << back.out;
  }
  const auto shown = go("inspect", {"f.h5"});
  EXPECT_NE(shown.out.find("log_mel + chroma_stft + rms"), shown.out.npos) << shown.out;
  EXPECT_NE(shown.out.find("(87, 45) each"), shown.out.npos) << shown.out;
}

TEST_F(StackedFeatures, TakeATempoOfWholeClipsAlone) {
  const auto o = go("run_experiment", {"a.yaml", "--set", "features=[rms, tempo: {ac_size: 2}]"});
  EXPECT_EQ(o.status, 2);
  EXPECT_EQ(o.err.substr(0, 93),
            "run_experiment: --set features: tempo is taken of whole clips alone (dataset.segment.seconds:");
  const auto whole =
      go("run_experiment", {"a.yaml", "--set", "features=[rms, tempo: {ac_size: 2}]", "--set",
                            "dataset={path: songs, segment: {seconds: whole}}", "--out", "whole"});
  EXPECT_EQ(whole.status, 0) << whole.err;
}

}  // namespace
}  // namespace timbre::end_to_end
