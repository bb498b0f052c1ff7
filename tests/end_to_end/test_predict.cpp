// predict takes audio as people have it: any container, rate, number of channels and length.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "end_to_end/melody.hpp"
#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

struct AudioCase {
  std::string name;
  int format, rate, channels;
  double seconds;
  std::string suffix = ".wav";
};
void PrintTo(const AudioCase& c, std::ostream* out) { *out << c.name; }
constexpr int wav = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
const std::vector<AudioCase> cases = {
    {"wav", wav, 22050, 1, 6.5},
    {"au", SF_FORMAT_AU | SF_FORMAT_PCM_16, 22050, 1, 6.5, ".au"},
    {"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100, 1, 6.5, ".flac"},
    {"ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100, 1, 6.5, ".ogg"},
    {"mp3", 0x230000 | 0x0082, 44100, 1, 6.5,
     ".mp3"},  // SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, from 1.1 on
    {"stereo", wav, 44100, 2, 6.5},
    {"rate8000", wav, 8000, 1, 6.5},
    {"rate96000", wav, 96000, 1, 6.5},
    {"float32", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48000, 2, 6.5},
    {"four_seconds", wav, 22050, 1, 4},
    {"ten_minutes", wav, 22050, 1, 600},
};

/// One tiny model for all tests of this file.
class Predict : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    write_small_run(*folder_ / "small.yaml", "mlp");
    const auto o =
        run_process({command("run_experiment"), "small.yaml", "--out", "model"}, {.folder = folder_->path()});
    ASSERT_EQ(o.status, 0) << o.err;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static Outcome predict(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {command("predict"), "model/result.h5"});
    return run_process(arguments, {.folder = folder_->path()});
  }
  static std::unique_ptr<TemporaryFolder> folder_;
};
std::unique_ptr<TemporaryFolder> Predict::folder_;

class PredictFormats : public Predict, public testing::WithParamInterface<AudioCase> {};

TEST_P(PredictFormats, GiveProbabilitiesForEverySegment) {
  const auto& c = GetParam();
  const auto file = c.name + c.suffix;
  if (!write_audio(*folder_ / file, c.format, c.rate, c.channels, c.seconds))
    GTEST_SKIP() << "this libsndfile does not write " << c.name;
  const auto o = predict({file, "--json"});
  ASSERT_EQ(o.status, 0) << o.err;
  const auto j = nlohmann::json::parse(o.out);
  ASSERT_EQ(j.size(), 1u);
  EXPECT_EQ(j[0]["file"], file);
  EXPECT_NEAR(j[0]["seconds"].get<double>(), c.seconds, 0.1);
  const auto segments = int(c.seconds / 3);
  ASSERT_EQ(j[0]["segments"].size(), std::size_t(segments));
  std::map<std::string, double> mean;
  for (int s = 0; s < segments; ++s) {
    EXPECT_EQ(j[0]["segments"][s]["start"], 3.0 * s);
    double sum = 0;
    for (const auto& [genre, p] : j[0]["segments"][s]["probabilities"].items()) {
      EXPECT_GE(p.get<double>(), 0);
      sum += p.get<double>(), mean[genre] += p.get<double>() / segments;
    }
    EXPECT_NEAR(sum, 1, 1e-5);
  }
  EXPECT_EQ(mean.size(), 10u);
  const auto best =
      std::max_element(mean.begin(), mean.end(), [](auto& a, auto& b) { return a.second < b.second; });
  for (const auto& [genre, p] : mean)
    EXPECT_NEAR(j[0]["probabilities"][genre].get<double>(), p, 1e-5) << genre;
  EXPECT_EQ(j[0]["prediction"], best->first);
}

INSTANTIATE_TEST_SUITE_P(Predict, PredictFormats, testing::ValuesIn(cases),
                         [](const auto& c) { return c.param.name; });

TEST_F(Predict, ReadsTheSameMusicAlikeWhateverItsContainerAndChannels) {
  ASSERT_TRUE(write_audio(*folder_ / "a.wav", wav, 22050, 1, 6));
  ASSERT_TRUE(write_audio(*folder_ / "b.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 22050, 2, 6));
  const auto o = predict({"a.wav", "b.flac", "--json"});
  ASSERT_EQ(o.status, 0) << o.err;
  const auto j = nlohmann::json::parse(o.out);
  for (const auto& [genre, p] : j[0]["probabilities"].items())
    EXPECT_NEAR(p.get<double>(), j[1]["probabilities"][genre].get<double>(), 1e-3) << genre;
}

TEST_F(Predict, WritesTextAndTables) {
  ASSERT_TRUE(write_audio(*folder_ / "one, two.wav", wav, 22050, 1, 6));
  const auto text = predict({"one, two.wav"});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_NE(text.out.find("one, two.wav: synthetic_"), text.out.npos) << text.out;
  EXPECT_NE(text.out.find("SYNTHETIC"), text.out.npos) << "a model of made-up music says so";
  EXPECT_EQ(line_count(text.out), 1u) << text.out;
  const auto all = predict({"one, two.wav", "--segments"});
  EXPECT_EQ(line_count(all.out), 1u + 10 + 1 + 2)
      << all.out;  // the file, ten genres, "segments:", two of them
  EXPECT_EQ(all.out.find(text.out), 0u) << "the same line first\n" << all.out;
  const auto table = predict({"one, two.wav", "--csv"});
  EXPECT_EQ(table.status, 0) << table.err;
  EXPECT_EQ(line_count(table.out), 4u) << table.out;  // names, the whole, two segments
  EXPECT_NE(table.out.find("\n\"one, two.wav\",all,"), table.out.npos) << table.out;
}

TEST_F(Predict, GoesOnAfterABadFileAndExitsWithOne) {
  ASSERT_TRUE(write_audio(*folder_ / "good.wav", wav, 22050, 1, 4));
  ASSERT_TRUE(write_audio(*folder_ / "short.wav", wav, 22050, 1, 2));
  write_file(*folder_ / "bad.mp3", "this is no music\n");
  const auto o = predict({"bad.mp3", "missing.wav", "short.wav", "good.wav", "--csv"});
  EXPECT_EQ(o.status, 1);
  for (const auto* name : {"predict: bad.mp3: ", "missing.wav: ", "short.wav: "})
    EXPECT_NE(o.err.find(name), o.err.npos) << o.err;
  EXPECT_NE(o.out.find("good.wav"), o.out.npos) << o.out;
}

TEST_F(Predict, TakesFoldersAndLists) {
  for (const auto* name : {"album/b/two.wav", "album/one.flac", "album/.hidden/three.wav"})
    ASSERT_TRUE(write_audio(*folder_ / name,
                            std::string(name).ends_with("flac") ? SF_FORMAT_FLAC | SF_FORMAT_PCM_16 : wav,
                            22050, 1, 4));
  write_file(*folder_ / "album/cover.jpg", "no music\n");
  write_file(*folder_ / "album/list.txt", "# mine\none.flac\r\nb/two.wav\nnone.wav\n");
  const auto folder = predict({"album"});
  EXPECT_EQ(folder.status, 0) << folder.err;
  ASSERT_EQ(line_count(folder.out), 2u) << folder.out;
  EXPECT_EQ(folder.out.find("album/b/two.wav: "), 0u) << folder.out;
  EXPECT_NE(folder.out.find("\nalbum/one.flac: "), folder.out.npos) << folder.out;
  const auto list = predict({"album/list.txt"});
  EXPECT_EQ(list.status, 1);
  EXPECT_EQ(line_count(list.out), 2u) << list.out;
  EXPECT_EQ(list.err, "predict: album/none.wav: no such file\n");
  fs::create_directory(*folder_ / "empty");
  const auto none = predict({"empty", "none.txt", "album/one.flac"});
  EXPECT_EQ(none.status, 1);
  EXPECT_EQ(line_count(none.out), 1u) << none.out;
  EXPECT_NE(none.err.find("predict: empty: there are no audio files in this folder\n"), none.err.npos)
      << none.err;
  EXPECT_NE(none.err.find("predict: none.txt: no such file"), none.err.npos) << none.err;
}

TEST_F(Predict, RefusesWhatIsNoResult) {
  write_file(*folder_ / "text.h5", "no HDF5\n");
  ASSERT_TRUE(write_audio(*folder_ / "a.wav", wav, 22050, 1, 4));
  for (const auto* name : {"text.h5", "missing.h5", "."}) {
    const auto o = run_process({command("predict"), name, "a.wav"}, {.folder = folder_->path()});
    EXPECT_EQ(o.status, 2) << name << o.err;
    EXPECT_EQ(line_count(o.err), 1u) << o.err;
  }
}

}  // namespace
}  // namespace timbre::end_to_end
