// tools/gpu_check: what it says where there is no GPU, and each of its sections on the stand-in GPU of tests/simt, with
// little of everything.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "audio/wav_file.hpp"
#include "device/device.hpp"
#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"
#include "end_to_end/stand_in.hpp"

namespace timbre::end_to_end {
namespace {

namespace fs = std::filesystem;

class GpuCheck : public testing::Test {
 protected:
  /// A tree laid out as a bundle is, of this build's programs, with small networks.
  void SetUp() override {
    const fs::path source(TIMBRE_SOURCE_DIR), share = folder / "bundle/share/timbre";
    fs::create_directories(folder / "bundle/bin");
    fs::create_directories(share / "configs");
    fs::copy_file(source / "tools/gpu_check", folder / "bundle/gpu_check");
    for (const auto& program : fs::directory_iterator(TIMBRE_BIN_DIR))
      if (program.path().filename() != "gpu_rates")
        fs::create_symlink(program, folder / "bundle/bin" / program.path().filename());
    fs::create_symlink(stand_in_folder() / "gpu_rates", folder / "bundle/bin/gpu_rates");
    fs::create_symlink(TIMBRE_TEST_DATA, share / "golden");
    fs::create_symlink(source / "tests/benchmarks", share / "benchmarks");
    fs::create_directory(share / "experiments");
    fs::copy_file(source / "experiments/architectures.yaml", share / "experiments/architectures.yaml");
    for (const char* network : {"mlp", "cnn", "lstm", "gru", "crnn", "short_chunk_cnn"})
      write_small_run(share / "configs" / (std::string(network) + ".yaml"), network);
  }

  Outcome check(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {}) {
    arguments.insert(arguments.begin(), {(folder / "bundle/gpu_check").string(), "--json", "check.json"});
    return run_process(arguments, {.folder = folder.path(), .environment = std::move(environment)});
  }
  nlohmann::json report() { return nlohmann::json::parse(read_file(folder / "check.json")); }

  TemporaryFolder folder;
};

TEST_F(GpuCheck, SaysWhyNothingIsTestedWhereThereIsNoGpu) {
  if (device::choose("auto").name == "cuda") GTEST_SKIP() << "there is a GPU that can be used";
  const auto r = check({});
  EXPECT_EQ(r.status, 1) << r.err;
  EXPECT_NE(r.out.find("not tested: "), r.out.npos) << r.out;
  EXPECT_GT(report()["why_no_gpu"].get<std::string>().size(), 10u);
  EXPECT_EQ(report()["sections"], nlohmann::json::object());
}

TEST_F(GpuCheck, AWrongArgumentEndsWithTwo) {
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
           {"--fast"}, {"--only", "speeds"}, {"--limit", "speed"}, {"--data", "nowhere"}}) {
    const auto r = check(wrong);
    EXPECT_EQ(r.status, 2) << wrong[0];
    EXPECT_NE(r.err.find("gpu_check: error: "), r.err.npos) << r.err;
  }
  EXPECT_FALSE(fs::exists(folder / "check.json"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // whose libraries must be loaded first
class GpuCheckOnTheStandIn : public GpuCheck {
 protected:
  void SetUp() override {
    GpuCheck::SetUp();
    environment["LD_PRELOAD"] = install_stand_in(folder / "stand_in").string();
  }

  /// A section, with little of everything: what the JSON file says of it.
  nlohmann::json section(const std::string& name, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--only", name, "--rounds", "1", "--steps", "1", "--batches", "2", "--segments",
                             "2", "--mebibytes", "1", "--torch", "no-such-python"});
    const auto r = check(more, environment);
    const auto all = report();
    const auto found = all["sections"].value(name, nlohmann::json());
    EXPECT_EQ(r.status, found["well"] == false ? 1 : 0) << r.out << r.err;
    EXPECT_NE(r.out.find("== " + name), r.out.npos) << r.out;
    for (const auto& row : found["rows"])
      EXPECT_NE(r.out.find(row[1].get<std::string>()), r.out.npos) << r.out;
    return found;
  }

  /// A program of that name on the path.
  void install(const std::string& name, const std::string& script) {
    write_file(folder / "path" / name, "#!/bin/sh\n" + script);
    fs::permissions(folder / "path" / name, fs::perms::owner_all);
    environment["PATH"] = (folder / "path").string() + ":" + std::getenv("PATH");
  }

  std::map<std::string, std::string> environment;
};

TEST_F(GpuCheckOnTheStandIn, Check) {
  const auto s = section(
      "check", {"--check-batches", "4", "--set", "dataset.synthetic={clips_per_genre: 5, clip_seconds: 1}",
                "--set", "dataset.segment_seconds=1"});
  EXPECT_EQ(s["well"], true) << s;
  EXPECT_EQ(s["rows"].size(), 8u) << s;  // mlp, the cnn and the gru by both, the lstm three ways
  for (const auto& [name, network] : s["networks"].items()) {
    const auto graphs = std::ranges::count_if(network["notes"], [](const nlohmann::json& note) {
      return note.get<std::string>().starts_with("the training step is one graph of ");
    });
    EXPECT_EQ(graphs, 1) << name << network;
  }
  const auto log = read_file(folder / "check.json.logs/check.log");
  EXPECT_NE(log.find("$ TIMBRE_LSTM=own TIMBRE_GRU=own TIMBRE_CONV=own"), log.npos) << log;
  EXPECT_NE(log.find("[exit status 0]"), log.npos) << log;
  environment["TIMBRE_CUDA_GRAPHS"] = "off";
  EXPECT_EQ(section("check", {"--check-batches", "4", "--set", "dataset.segment_seconds=1"})["rows"][0][1],
            "FAILED: no graph was replayed");
}

TEST_F(GpuCheckOnTheStandIn, Conformance) {
  const auto s = section("conformance", {"--limit", "conformance=900"});  // the stand-in is slow
  EXPECT_EQ(s["well"], true) << s;
  EXPECT_EQ(s["suites"].size(), 4u);
  for (const auto& [name, suite] : s["suites"].items()) EXPECT_GE(suite["passed"], 2) << name;
}

TEST_F(GpuCheckOnTheStandIn, ATestThatFailsIsTriedInEasierCircumstances) {
  // Programs of one test: it fails with graphs, or always; or the process dies.
  const auto conformance_of = [&](const std::string& behaviour) {
    for (const char* program : {"test_features", "test_training"}) {
      const auto file = folder / "bundle/bin" / program;
      fs::remove(file);
      write_file(file,
                 "#!/bin/sh\n"
                 "case \"$*\" in *--gtest_list_tests*) printf 'A.\\n  One/cuda\\n'; exit 0;; esac\n"
                 "file=${2#--gtest_output=json:}\n"
                 "told() { echo \"{\\\"testsuites\\\": [{\\\"testsuite\\\": [{\\\"result\\\": "
                 "\\\"COMPLETED\\\" $1}]}]}\" >$file; }\n" +
                     behaviour);
      fs::permissions(file, fs::perms::owner_all);
    }
    return section("conformance");
  };
  const std::string fails = "told ', \"failures\": [{}]'; exit 1\n";
  const auto graphs = conformance_of("test \"$TIMBRE_CUDA_GRAPHS\" = off && { told; exit 0; }\n" + fails);
  EXPECT_EQ(graphs["well"], false);
  EXPECT_EQ(graphs["rows"][0][1], "FAILED: failed; it passes without graphs") << graphs;
  const auto always = conformance_of(fails);
  EXPECT_TRUE(always["rows"][0][1].get<std::string>().starts_with(
      "FAILED: failed; it fails without graphs, too, and where each launch is waited for"))
      << always;
  const auto dies =
      conformance_of("test \"$CUDA_LAUNCH_BLOCKING\" = 1 && { told; exit 0; }\nkill -SEGV $$\n");
  EXPECT_EQ(dies["rows"][0][1], "FAILED: exit status -11; it passes where each launch is waited for") << dies;
  EXPECT_EQ(conformance_of("told; exit 0\n")["well"], true);
}

TEST_F(GpuCheckOnTheStandIn, WhatIsKnownIsWrittenWhereItIsKilledInTheMiddle) {
  install("compute-sanitizer", "test $2 = memcheck || sleep 60\necho '[  PASSED  ] 1 test.'\n");
  auto killed = environment;
  const auto r = run_process({"timeout", "--signal=KILL", "20", (folder / "bundle/gpu_check").string(),
                              "--json", "check.json", "--only", "sanitizer"},
                             {.folder = folder.path(), .environment = killed});
  EXPECT_EQ(r.status, 128 + 9) << r.err;
  const auto s = report()["sections"]["sanitizer"];
  EXPECT_EQ(s["unfinished"], true) << s;
  EXPECT_EQ(s["well"], false);
  EXPECT_EQ(s["runs"]["memcheck, features"]["said"], "no complaint") << s;
}

TEST_F(GpuCheckOnTheStandIn, WhatDoesNotFitIntoTheTimeIsNotRun) {
  install("compute-sanitizer", "sleep 1000\n");
  const auto r = check({"--only", "sanitizer,accuracy", "--seconds", "15"}, environment);
  EXPECT_EQ(r.status, 1) << r.out << r.err;
  const auto sections = report()["sections"];
  EXPECT_EQ(sections["sanitizer"]["rows"][0][1], "NOT FINISHED in time");
  EXPECT_EQ(sections["accuracy"]["not_run"], "none of the 15 s is left");
}

TEST_F(GpuCheckOnTheStandIn, Sanitizer) {
  install("compute-sanitizer",
          "echo \"$TIMBRE_LSTM $*\" >>" + (folder / "calls").string() + "\necho '[  PASSED  ] 1 test.'\n");
  EXPECT_EQ(section("sanitizer")["well"], true);
  const auto calls = read_file(folder / "calls");
  EXPECT_EQ(line_count(calls), 12u) << calls;
  for (const char* call : {"own --tool racecheck --kernel-regex kns=timbre",
                           "cudnn --tool initcheck --error-exitcode 99", "bin/test_features --gtest_filter="})
    EXPECT_NE(calls.find(call), calls.npos) << calls;
  install("compute-sanitizer",
          "echo '[  PASSED  ] 1 test.'\ntest $2 != racecheck || { echo '========= RACECHECK SUMMARY: 1 "
          "hazard'; exit 99; }\n");
  const auto s = section("sanitizer");
  EXPECT_EQ(s["well"], false);
  EXPECT_EQ(s["runs"]["memcheck, features"]["said"], "no complaint");
  EXPECT_EQ(s["runs"]["racecheck, features"]["said"], "FAILED: RACECHECK SUMMARY: 1 hazard");
}

TEST_F(GpuCheckOnTheStandIn, WhatNvidiasKernelsReadIsNotHeldAgainstOurs) {
  const std::string theirs =
      "========= Uninitialized __global__ memory read of size 4 bytes\n=========     at void "
      "gemm<float>(int)+0x70\n";
  const auto said = [&](const std::string& log) {
    install("compute-sanitizer",
            "echo '[  PASSED  ] 1 test.'\ntest $2 = initcheck || exit 0\ncat <<'EOF'\n========= "
            "COMPUTE-SANITIZER\n" +
                log + "========= ERROR SUMMARY: 2 errors\nEOF\nexit 99\n");
    const auto s = section("sanitizer");
    EXPECT_EQ(s["runs"]["memcheck, features"]["said"], "no complaint");
    return s["runs"]["initcheck, features"]["said"];
  };
  EXPECT_EQ(said(theirs + theirs), "no complaint of ours (2 of NVIDIA's kernels)");
  EXPECT_EQ(said(theirs + "========= Uninitialized __global__ memory read of size 4 bytes\n=========     at "
                          "timbre::cuda::power(int)+0x70\n"),
            "FAILED: ERROR SUMMARY: 2 errors");
  EXPECT_EQ(
      said(
          theirs +
          "========= Invalid __global__ read of size 4 bytes\n=========     at void gemm<float>(int)+0x70\n"),
      "FAILED: ERROR SUMMARY: 2 errors");
}

TEST_F(GpuCheckOnTheStandIn, ASectionThatHangsEndsAtItsLimit) {
  install("compute-sanitizer", "sleep 1000\n");
  const auto s = section("sanitizer", {"--limit", "sanitizer=1"});
  EXPECT_EQ(s["well"], false);
  EXPECT_LT(s["seconds"], 30);
  EXPECT_EQ(s["rows"][0][1], "NOT FINISHED in time");
}

TEST_F(GpuCheckOnTheStandIn, Speed) {
  const auto s = section("speed", {"--side-by-side", "1", "2"});
  EXPECT_EQ(s["well"], true) << s;
  EXPECT_EQ(s["rows"][0],
            nlohmann::json(
                {"PyTorch", "not run: no PyTorch: [Errno 2] No such file or directory: 'no-such-python'"}));
  const auto& m = s["measured"];
  EXPECT_GT(m["rates"]["copy_gb_per_s"], 0);
  EXPECT_EQ(m["kernels"].size(), 6u);
  EXPECT_EQ(m["features"].size(), 4u);
  for (const auto& row : m["features"]) EXPECT_GT(row["segments_per_second"]["timbre"], 0) << row;
  EXPECT_EQ(m["runs"].size(), 6u);  // one and two runs, three ways
  for (const auto& row : m["runs"]) EXPECT_GT(row["steps_per_second"], 0) << row;
}

TEST_F(GpuCheckOnTheStandIn, Peers) {
  const auto s = section("peers");
  EXPECT_EQ(s["well"], true) << s;
  EXPECT_EQ(s["rows"][0],
            nlohmann::json(
                {"PyTorch", "not run: no PyTorch: [Errno 2] No such file or directory: 'no-such-python'"}));
  ASSERT_EQ(s["measured"]["steps"].size(), 4u);  // the LSTM by both algorithms
  for (const auto& row : s["measured"]["steps"]) {
    EXPECT_GT(row["timbre"]["ms"], 0) << row;
    EXPECT_GT(row["floor"]["memory_ms"], 0) << row;
  }
}

TEST_F(GpuCheckOnTheStandIn, JobAndWhatEarlierCallsFound) {
  section("accuracy");
  const auto s = section("job", {"--set", "dataset.synthetic={clips_per_genre: 5, clip_seconds: 1}", "--set",
                                 "dataset.segment_seconds=1", "--set", "training.epochs=1"});
  EXPECT_EQ(s["well"], true) << s;
  for (const char* run : {"mlp", "cnn", "lstm (cuDNN)", "lstm (own kernel)"})
    EXPECT_EQ(s["job"][run]["epochs"], 1) << s;
  EXPECT_EQ(report()["sections"]["accuracy"]["not_run"], "--data names no music");
}

TEST_F(GpuCheckOnTheStandIn, Accuracy) {
  for (const char* genre : {"high", "low"})
    for (int clip = 0; clip < 5; ++clip) {
      std::vector<float> tone;
      for (int i = 0; i < 27000; ++i)
        tone.push_back(float(0.3 * std::sin((genre[0] == 'h' ? 0.3 : 0.1) * (1 + 0.1 * clip) * i)));
      test::write_wav(folder / "music" / genre / (std::to_string(clip) + ".wav"), tone, 22050);
    }
  const auto s = section("accuracy", {"--data", "music", "--set", "dataset.segment_seconds=1"});
  EXPECT_EQ(s["well"], true) << s;
  EXPECT_EQ(s["networks"].size(), 6u) << s;
  for (const auto& [network, figures] : s["networks"].items()) {
    EXPECT_EQ(figures["inside"], true) << network;
    EXPECT_EQ(figures["cuda"].size(), 2u) << network;
  }
}
#endif

}  // namespace
}  // namespace timbre::end_to_end
