// --device: what is said where there is no GPU, and the whole way of the features where there is one. The GPU is the
// stand-in of tests/simt, built as a plug-in and loaded in place of the real one.
#include <gtest/gtest.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "device/device.hpp"
#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"
#include "end_to_end/stand_in.hpp"
#include "storage/hdf5.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

void write_tone(const fs::path& file, double seconds) {
  SF_INFO info{};
  info.samplerate = 22050, info.channels = 1, info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
  std::vector<float> tone;
  for (int i = 0; i < int(seconds * info.samplerate); ++i)
    tone.push_back(float(0.3 * std::sin(0.06 * i) + 0.1 * std::sin(1e-6 * i * i)));
  SNDFILE* out = sf_open(file.c_str(), SFM_WRITE, &info);
  ASSERT_NE(out, nullptr);
  sf_writef_float(out, tone.data(), sf_count_t(tone.size()));
  sf_close(out);
}

class DeviceChoice : public testing::Test {
 protected:
  void SetUp() override { write_small_run(folder / "small.yaml", "mlp"); }

  /// Runs a command with --device; on the stand-in GPU if asked for.
  Outcome run(std::vector<std::string> arguments, const std::string& device, bool stand_in = false) {
    arguments[0] = command(arguments[0]);
    arguments.insert(arguments.end(), {"--device", device});
    ProcessOptions options{.folder = folder.path()};
    if (stand_in) options.environment["LD_PRELOAD"] = (folder / "stand_in/libtimbre.so").string();
    return run_process(arguments, options);
  }

  void install_stand_in() { end_to_end::install_stand_in(folder / "stand_in"); }

  TemporaryFolder folder;
};

const std::vector<std::string> extraction{
    "extract_features", "small.yaml", "-o", "features.h5", "--set", "dataset.synthetic.clips_per_genre=1"};

TEST_F(DeviceChoice, CudaWithoutAGpuEndsWithOneLineAndStatusOne) {
  if (device::choose("auto").name == "cuda") GTEST_SKIP() << "there is a GPU that can be used";
  for (const auto& arguments : {extraction, {"run_experiment", "small.yaml"}}) {
    const auto r = run(arguments, "cuda");
    EXPECT_EQ(r.status, 1);
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(line_count(r.err), 1u) << r.err;
    EXPECT_TRUE(r.err.starts_with(arguments[0] + ": device cuda cannot be used: ")) << r.err;
  }
}

TEST_F(DeviceChoice, AutoWithoutAGpuGoesOnWithTheCpuAndSaysSoOnce) {
  if (device::choose("auto").name == "cuda") GTEST_SKIP() << "there is a GPU that can be used";
  const auto r = run(extraction, "auto");
  EXPECT_EQ(r.status, 0) << r.err;
  const auto at = r.err.find("device: cpu (");
  EXPECT_NE(at, r.err.npos) << r.err;
  EXPECT_EQ(r.err.find("device: ", at + 1), r.err.npos) << r.err;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose libraries must be loaded first
TEST_F(DeviceChoice, CudaComputesFeaturesThatAgreeWithTheCpus) {
  install_stand_in();
  const auto there = run(extraction, "cuda", true);
  ASSERT_EQ(there.status, 0) << there.err;
  EXPECT_NE(there.err.find("device: cuda (SIMT host)"), there.err.npos) << there.err;
  const auto a = storage::H5File::open(folder / "features.h5").read_floats("/features");
  EXPECT_EQ(storage::H5File::open(folder / "features.h5").text_attribute("/", "device"), "cuda");
  ASSERT_EQ(run(extraction, "cpu").status, 0);  // with the same store
  const auto b = storage::H5File::open(folder / "features.h5").read_floats("/features");
  ASSERT_EQ(a.size(), 10u * 130 * 13);
  ASSERT_EQ(a.size(), b.size());
  std::size_t different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_LE(std::abs(a[i] - b[i]), 1e-3f) << i;
    different += a[i] != b[i];
  }
  EXPECT_GT(different, 0u) << "the CPU computed both";
}

TEST_F(DeviceChoice, AutoTakesTheGpuAndTheResultSaysSo) {
  install_stand_in();
  const auto r = run({"run_experiment", "small.yaml", "--out", "run", "--set", "dataset.segment_seconds=1",
                      "--set", "dataset.synthetic.clip_seconds=1"},
                     "auto", true);
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_NE(r.err.find("device: cuda (SIMT host)"), r.err.npos) << r.err;
  EXPECT_EQ(storage::H5File::open(folder / "run/result.h5").text_attribute("/", "device"), "cuda");
}

TEST_F(DeviceChoice, ARunOnTheGpuGivesTheCpusModelAndItsLogTellsWhatWasChosen) {
  install_stand_in();
  write_small_run(folder / "small.yaml", "lstm");
  const std::vector<std::string> little{"run_experiment", "small.yaml",
                                        "--set",          "dataset.segment_seconds=1",
                                        "--set",          "dataset.synthetic.clip_seconds=1",
                                        "--set",          "features.hop_length=4096"};
  const auto train = [&](const std::string& device, bool stand_in) {
    auto arguments = little;
    arguments.insert(arguments.end(), {"--out", device});
    const auto r = run(arguments, device, stand_in);
    EXPECT_EQ(r.status, 0) << r.err;
    return std::pair(storage::H5File::open(folder / device / "result.h5").read_doubles("/history/val_loss"),
                     r.err);
  };
  const auto [there, said] = train("cuda", true);
  const auto [here, silent] = train("cpu", false);
  ASSERT_EQ(there.size(), here.size());
  for (std::size_t e = 0; e < here.size(); ++e) EXPECT_NEAR(there[e], here[e], 1e-3 * here[e]) << e;
  EXPECT_NE(said.find("lstm (layer 0, 8 units): cuDNN's persistent algorithm"), said.npos) << said;
}

TEST_F(DeviceChoice, AModelPredictsOnTheOtherDeviceWhatItPredictsOnItsOwn) {
  install_stand_in();
  ASSERT_EQ(run({"run_experiment", "small.yaml", "--out", "run", "--set", "dataset.segment_seconds=1",
                 "--set", "dataset.synthetic.clip_seconds=1"},
                "cpu")
                .status,
            0);
  write_tone(folder / "tone.wav", 3.5);
  const auto here = run({"predict", "run/result.h5", "tone.wav", "--json"}, "cpu");
  const auto there = run({"predict", "run/result.h5", "tone.wav", "--json"}, "cuda", true);
  ASSERT_EQ(here.status, 0) << here.err;
  ASSERT_EQ(there.status, 0) << there.err;
  EXPECT_NE(there.err.find("device: cuda (SIMT host)"), there.err.npos) << there.err;
  const auto a = nlohmann::json::parse(there.out).at(0), b = nlohmann::json::parse(here.out).at(0);
  ASSERT_EQ(a.size(), b.size());
  ASSERT_EQ(a.at("segments").size(), 3u);
  for (const auto& [genre, probability] : b.at("probabilities").items())
    EXPECT_NEAR(a.at("probabilities").at(genre).get<double>(), probability.get<double>(), 1e-3) << genre;
}

TEST_F(DeviceChoice, RunsOfAStudySideBySideGiveTheSameBytesAsAlone) {
  install_stand_in();
  write_file(folder / "study.yaml",
             "study: two\nbase: small.yaml\naxes: {regularisation.l2: [0, 0.01]}\nseeds: [0, 1]\n");
  const auto losses = [&](const std::string& jobs) {
    const auto r = run({"run_study", "study.yaml", "--out", "study" + jobs, "--jobs", jobs, "--set",
                        "dataset.segment_seconds=1", "--set", "dataset.synthetic.clip_seconds=1"},
                       "cuda", true);
    EXPECT_EQ(r.status, 0) << r.err;
    std::map<std::string, std::vector<double>> of_run;
    for (const auto& entry : fs::recursive_directory_iterator(folder / ("study" + jobs)))
      if (entry.path().filename() == "result.h5") {
        const auto file = storage::H5File::open(entry.path());
        EXPECT_EQ(file.text_attribute("/", "device"), "cuda");
        of_run[fs::relative(entry.path(), folder / ("study" + jobs))] =
            file.read_doubles("/history/val_loss");
      }
    return of_run;
  };
  const auto together = losses("4");
  EXPECT_EQ(together.size(), 4u);
  EXPECT_EQ(together, losses("1"));
}

TEST_F(DeviceChoice, AStudyOnTwoGpusGivesTheBytesOfOne) {
  install_stand_in();
  write_file(folder / "study.yaml",
             "study: two\nbase: small.yaml\naxes: {regularisation.l2: [0, 0.01]}\nseeds: [0, 1]\n");
  const auto study = [&](const std::string& devices, const std::string& out, const std::string& gpus) {
    ProcessOptions options{.folder = folder.path()};
    options.environment["LD_PRELOAD"] = (folder / "stand_in/libtimbre.so").string();
    options.environment["SIMT_DEVICES"] = gpus;
    return run_process({command("run_study"), "study.yaml", "--out", out, "--jobs", "2", "--device", devices,
                        "--set", "dataset.segment_seconds=1", "--set", "dataset.synthetic.clip_seconds=1"},
                       options);
  };
  const auto two = study("cuda:0,cuda:1", "two", "2");
  ASSERT_EQ(two.status, 0) << two.err;
  EXPECT_NE(two.err.find("device: cuda:1 (SIMT host)"), two.err.npos) << two.err;
  EXPECT_NE(two.err.find("4 of 4 runs to do, 4 at a time"), two.err.npos) << two.err;
  const auto one = study("cuda", "one", "1");
  ASSERT_EQ(one.status, 0) << one.err;
  std::size_t results = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "two"))
    if (entry.path().filename() == "result.h5") {
      const auto there = storage::H5File::open(entry.path());
      const auto here = storage::H5File::open(folder / "one" / fs::relative(entry.path(), folder / "two"));
      EXPECT_EQ(there.text_attribute("/", "device"), "cuda");
      EXPECT_EQ(there.read_doubles("/history/val_loss"), here.read_doubles("/history/val_loss"));
      EXPECT_EQ(there.read_text("/config"), here.read_text("/config"));
      ++results;
    }
  EXPECT_EQ(results, 4u);

  // Every command takes a GPU by its number.
  write_tone(folder / "tone.wav", 2);
  ProcessOptions on_two{.folder = folder.path()};
  on_two.environment["LD_PRELOAD"] = (folder / "stand_in/libtimbre.so").string();
  on_two.environment["SIMT_DEVICES"] = "2";
  const auto result = *std::find_if(fs::recursive_directory_iterator(folder / "two"), {},
                                    [](const auto& entry) { return entry.path().filename() == "result.h5"; });
  const auto predicted =
      run_process({command("predict"), result.path().string(), "tone.wav", "--device", "cuda:1"}, on_two);
  EXPECT_EQ(predicted.status, 0) << predicted.err;
  EXPECT_NE(predicted.err.find("device: cuda:1 (SIMT host)"), predicted.err.npos) << predicted.err;
  const auto unknown =
      run_process({command("predict"), result.path().string(), "tone.wav", "--device", "tpu"}, on_two);
  EXPECT_EQ(unknown.status, 2) << unknown.err;
  EXPECT_EQ(unknown.err, "predict: there is no device tpu; there are auto, cpu, cuda and cuda:N\n");

  const auto absent = study("cuda:0,cuda:1", "none", "1");
  EXPECT_EQ(absent.status, 1);
  EXPECT_NE(absent.err.find("run_study: device cuda:1 cannot be used: there is one NVIDIA GPU, cuda:0\n"),
            absent.err.npos)
      << absent.err;
  const auto refused = [&](const std::string& devices, std::string_view words) {
    const auto r = study(devices, "none", "2");
    EXPECT_EQ(r.status, 2) << r.err;
    EXPECT_NE(r.err.find(words), r.err.npos) << r.err;
    EXPECT_EQ(line_count(r.err), 1u) << r.err;
  };
  refused("cuda:0,cuda:0", "--device cuda:0,cuda:0: cuda:0 is named twice");
  refused("cuda:0,cpu", "several devices are GPUs with their numbers, as cuda:0,cuda:1");
  refused("cuda:x", "--set device");
  refused("cuda:0,cuda:x", "several devices are GPUs with their numbers");
}

TEST_F(DeviceChoice, CheckComparesBothLayerByLayer) {
  install_stand_in();
  const auto r = run({"run_experiment", "small.yaml", "--set", "dataset.segment_seconds=1", "--set",
                      "dataset.synthetic.clip_seconds=1"},
                     "check", true);
  EXPECT_EQ(r.status, 0) << r.err;
  for (const char* text : {"dense_1  output", "dense    gradient of kernel", "dense_1  update",
                           "cpu and cuda agree over 2 steps"})
    EXPECT_NE(r.out.find(text), r.out.npos) << text << "\n" << r.out;
}
#endif

}  // namespace
}  // namespace timbre::end_to_end
