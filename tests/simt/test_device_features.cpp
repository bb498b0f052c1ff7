// The CUDA back end for features, its host code included, on the stand-in device: the same conformance as on
// a GPU, in both orders that streams allow; threads that share the device; memory; and every call of CUDA
// failing once.
#include <gtest/gtest.h>

#include <thread>

#include "core/error.hpp"
#include "cuda/features/pipeline.hpp"
#include "cuda/plugin.hpp"
#include "data/feature_store.hpp"
#include "device/device.hpp"
#include "features/conformance.hpp"
#include "host/device.hpp"
#include "storage/temporary_folder.hpp"

namespace timbre::features {
namespace {

class StandIn : public testing::TestWithParam<bool> {
 protected:
  static void SetUpTestSuite() {
    if (!device::BackendRegistry::instance().find("cuda")) timbre_register_plugin();
  }
  void SetUp() override {
    simt::device() = {};
    simt::device().eager = GetParam();
  }
  void TearDown() override {
    EXPECT_EQ(simt::device().live, 0) << "something was not given back";
    EXPECT_EQ(simt::device().freed_in_use, 0) << "memory was given back while a copy used it";
    EXPECT_EQ(simt::device().on_wrong_device, 0) << "something was used on another device than its own";
    simt::device() = {};
  }
};

TEST_P(StandIn, GivesLibrosasFeatures) { expect_librosas_values("cuda"); }
TEST_P(StandIn, GivesLibrosasFurtherFeatures) { expect_librosas_further_values("cuda"); }

TEST_P(StandIn, StacksWhatItHasKernelsFor) {
  for (const auto* yaml :
       {"[mfcc: {n_mfcc: 5, n_mels: 20, delta: 2}, spectral_centroid, rms, spectral_flatness]",
        "{n_fft: 300, hop_length: 100, summary: [std, mean], stack: [spectral_rolloff, log_mel: {n_mels: "
        "20}, "
        "spectral_bandwidth: {n_fft: 512}, zero_crossing_rate]}",
        "{hop_length: 400, stack: [chroma_stft, mfcc: {n_mfcc: 5, n_mels: 20}, onset_strength: {delta: 1}, "
        "tempo]}",
        "{kind: chroma_stft, n_fft: 4, hop_length: 500}", "{kind: chroma_stft, n_fft: 5, hop_length: 500}",
        "{kind: chroma_stft, n_fft: 600, hop_length: 3000, n_chroma: 240}",
        "{kind: onset_strength, n_fft: 600, hop_length: 3000, n_mels: 20, lag: 9}",
        "{kind: tempo, hop_length: 7000}", "{kind: rms, delta: 1, hop_length: 200}"}) {
    SCOPED_TRACE(yaml);
    EXPECT_EQ(device_note("cuda", options_of(yaml)), "");
    expect_the_cpus_values_of("cuda", options_of(yaml), 6000);
  }
}

TEST_P(StandIn, SaysWhatTheCpuExtractsInItsPlace) {
  // A kind that somebody has added for the CPU alone.
  auto& kinds = FeatureRegistry::instance();
  if (!kinds.find("of_the_cpu")) kinds.add("of_the_cpu", *kinds.find("spectrogram"));
  auto options = options_of("[rms, spectrogram]");
  options.stack[1].kind = "of_the_cpu";
  EXPECT_EQ(device_note("cuda", options),
            "features: the CPU extracts them, since the CUDA plug-in has no kernel for of_the_cpu");
  EXPECT_EQ(device_note("cpu", options), "");
  expect_the_cpus_values_of("cuda", options, 6000);
}

TEST_P(StandIn, GivesTheCpusNumbersForEveryKind) { expect_the_cpus_values("cuda"); }

/// Options that nobody would choose, from a counter-based generator.
FeatureOptions random_options(PhiloxSequence& random) {
  const auto below = [&](int n) { return int(random.uniform(0, n)); };
  const auto kinds = FeatureRegistry::instance().names();
  const char* const pads[] = {"constant", "reflect", "edge"};
  const char* const windows[] = {"hann", "hamming", "blackman", "bartlett", "boxcar"};
  FeatureOptions o;
  o.kind = kinds[std::size_t(below(int(kinds.size())))];
  o.n_fft = 2 + below(400), o.hop_length = 1 + below(300), o.win_length = 1 + below(o.n_fft);
  if (o.kind == "tempo") o.hop_length += 300;  // with a hop of 1 it would have 176,400 lags
  o.window = windows[below(5)], o.center = below(3) > 0, o.pad_mode = pads[below(3)];
  const double powers[] = {1, 2, 0.5, 3};
  o.power = powers[below(4)];
  o.n_mels = 1 + below(150), o.n_mfcc = 1 + below(o.n_mels);
  o.fmin = below(2) ? 0 : below(3000), o.fmax = o.fmin + 100 + below(7000);
  o.mel_scale = below(2) ? "htk" : "slaney", o.norm = below(2) ? "none" : "slaney";
  if (below(4) == 0)
    o.top_db.reset();
  else
    o.top_db = below(81);
  return o;
}

TEST_P(StandIn, GivesTheCpusNumbersForOptionsThatNobodyWouldChoose) {
  PhiloxSequence random(GetParam() ? 17 : 18, 5);
  for (int i = 0; i < 25; ++i) {
    const auto o = random_options(random);
    const auto samples = o.n_fft + std::int64_t(random.uniform(0, 1500));
    if (!problem_with(o).empty() || frame_count(o, samples) == 0) continue;
    SCOPED_TRACE(extraction_key(o) + std::to_string(samples));
    expect_the_cpus_values_of("cuda", o, samples);
  }
}

/// Small segments, many of them.
struct Batch {
  FeatureOptions options = options_of("{n_fft: 64, hop_length: 16, n_mels: 20, n_mfcc: 5}");
  std::int64_t samples = 200;
  std::vector<float> segments(std::int64_t count) const {
    PhiloxSequence random(11, 3);
    std::vector<float> x(static_cast<std::size_t>(count * samples));
    for (auto& v : x) v = static_cast<float>(random.uniform(-1, 1));
    return x;
  }
  std::vector<float> expected(const std::vector<float>& x) const {
    const auto engine = make_cpu_feature_engine(options, samples);
    const auto count = std::ssize(x) / samples;
    std::vector<float> out(static_cast<std::size_t>(count * engine->shape().size()));
    engine->compute(x.data(), count, out.data());
    return out;
  }
};

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    worst = std::isfinite(a[i]) ? std::max(worst, std::abs(double(a[i]) - b[i])) : INFINITY;
  return worst;
}

TEST_P(StandIn, ThreadsThatShareTheDeviceEachGetTheirOwnSegments) {
  const Batch batch;
  const auto open = open_features("cuda", batch.options, batch.samples);
  const std::int64_t threads = 3, count = 70, size = open()->shape().size();  // 70: more than a buffer holds
  const auto x = batch.segments(threads * count);
  const auto expected = batch.expected(x);
  std::vector<float> out(expected.size(), NAN);
  std::vector<std::thread> workers;
  for (std::int64_t t = 0; t < threads; ++t)
    workers.emplace_back([&, t] {
      const auto engine = open();
      for (std::int64_t i = t * count; i < (t + 1) * count; i += 35)
        engine->compute(x.data() + i * batch.samples, 35, out.data() + i * size);
      engine->compute(x.data() + t * count * batch.samples, count, out.data() + t * count * size);
    });
  for (auto& w : workers) w.join();
  EXPECT_LE(largest_difference(out, expected), 1e-3);
}

TEST_P(StandIn, MemoryStaysBelowAQuarterOfWhatIsFree) {
  const Batch batch;
  const auto x = batch.segments(70);
  for (const auto* further :
       {"{hop_length: 2000, stack: [chroma_stft: {n_fft: 512}, onset_strength: {n_fft: 512, n_mels: 20}]}",
        "{kind: tempo, hop_length: 2000}"}) {
    SCOPED_TRACE(further);
    Batch of;
    of.options = options_of(further), of.samples = 9000;
    for (const std::size_t free : {8u << 20, 64u << 20}) {
      simt::device().free_bytes = free, simt::device().largest_bytes = 0;
      const auto engine = open_features("cuda", of.options, of.samples)();
      std::vector<float> out(static_cast<std::size_t>(3 * engine->shape().size()));
      engine->compute(of.segments(3).data(), 3, out.data());
      EXPECT_LE(simt::device().largest_bytes,
                std::int64_t(free / 4) + (40 << 10));  // and tables: of mel bands
    }
  }
  for (const std::size_t free : {200u << 10, 1u << 20, 16u << 20}) {
    SCOPED_TRACE(free);
    simt::device().free_bytes = free, simt::device().largest_bytes = 0;
    const auto engine = open_features("cuda", batch.options, batch.samples)();
    std::vector<float> out(static_cast<std::size_t>(70 * engine->shape().size()));
    engine->compute(x.data(), 70, out.data());
    EXPECT_LE(largest_difference(out, batch.expected(x)), 1e-3);
    EXPECT_LE(simt::device().largest_bytes,
              std::int64_t(free / 4) + (8 << 10));  // and tables of a few kilobytes
  }
}

TEST_P(StandIn, TooLittleMemoryIsSaidInOneLine) {
  simt::device().free_bytes = 2 << 20;
  try {
    open_features("cuda", options_of("{}"), 66150);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()),
              "device cuda: a segment of these features needs 0.6 MB of GPU memory, 0.5 MB may be used");
  }
}

TEST_P(StandIn, EveryCallThatFailsIsNamedAndLeavesNothingBehind) {
  Batch batch;
  batch.options = options_of(
      "{hop_length: 64, stack: [mfcc: {n_fft: 64, n_mels: 20, n_mfcc: 5}, chroma_stft: {n_fft: 64}, "
      "onset_strength: {n_fft: 64, n_mels: 5}, tempo: {ac_size: 0.5}]}");
  const auto x = batch.segments(3);
  const auto use = [&] {
    const auto engine = open_features("cuda", batch.options, batch.samples)();
    std::vector<float> out(static_cast<std::size_t>(3 * engine->shape().size()));
    engine->compute(x.data(), 3, out.data());
    return out;
  };
  use();
  const auto calls = simt::device().calls;
  ASSERT_GT(calls, 50);
  for (std::int64_t i = 0; i < calls; ++i) {
    bool thrown = false;
    simt::device().calls = 0, simt::device().fail_at = i;
    testing::internal::CaptureStderr();
    try {
      use();
    } catch (const Error& e) {
      thrown = true;
      const std::string text = e.what();
      EXPECT_TRUE(text.starts_with("CUDA: cuda") || text.starts_with("cuFFT: cufft")) << text;
      EXPECT_TRUE(text.find("pp:") != text.npos || text.find(".cu:") != text.npos ||
                  text.find(".cuh:") != text.npos)
          << text;  // a place in the source
    }
    const auto said =
        testing::internal::GetCapturedStderr();  // what fails in a destructor is said, not thrown
    EXPECT_TRUE(thrown || !said.empty()) << "call " << i << " failed unnoticed";
    EXPECT_EQ(simt::device().live, 0) << "after call " << i;
  }
}

TEST_P(StandIn, AnExtractionOfClipsGivesTheCpusRows) {
  test::TemporaryFolder folder;
  data::DatasetOptions dataset;
  dataset.synthetic = audio::SyntheticOptions{};
  dataset.synthetic->clips_per_genre = 1, dataset.synthetic->clip_seconds = 2;
  dataset.segment_seconds = 0.5;
  const auto index = data::index_clips(dataset);
  const auto options = options_of("{n_fft: 512, hop_length: 256, n_mels: 32, n_mfcc: 8}");
  ThreadPool pool(3);
  const auto there =
      data::load_features(index, dataset, options, folder.path() / "cuda", pool, {.device = "cuda"});
  const auto here = data::load_features(index, dataset, options, folder.path() / "cpu", pool);
  EXPECT_FALSE(there.from_cache);
  EXPECT_EQ(there.label, here.label);
  EXPECT_EQ(there.segment, here.segment);
  EXPECT_EQ(there.key, here.key);
  EXPECT_EQ(there.device, "cuda");
  EXPECT_EQ(here.device, "cpu");
  EXPECT_LE(largest_difference(there.features, here.features), 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Streams, StandIn, testing::Bool(),
                         [](const auto& info) { return info.param ? "workAtOnce" : "workAsLateAsAllowed"; });

TEST(CudaBackend, SaysWhyItCannotBeUsed) {
  if (!device::BackendRegistry::instance().find("cuda")) timbre_register_plugin();
  const auto why = [](cudaError_t driver, int count) {
    simt::device().driver = driver, simt::device().count = count;
    return device::BackendRegistry::instance().find("cuda")->why_not(0);
  };
  EXPECT_EQ(why(cudaErrorStubLibrary, 0), "there is no NVIDIA driver, or one older than CUDA 13");
  EXPECT_EQ(why(cudaErrorInsufficientDriver, 0), "there is no NVIDIA driver, or one older than CUDA 13");
  EXPECT_EQ(why(cudaErrorNoDevice, 0), "there is no NVIDIA GPU");
  EXPECT_EQ(why(cudaSuccess, 0), "there is no NVIDIA GPU");
  EXPECT_EQ(why(cudaErrorUnknown, 0), "the CUDA runtime says: unknown error");
  EXPECT_EQ(why(cudaSuccess, 1), "");
  EXPECT_EQ(device::BackendRegistry::instance().find("cuda")->describe(0), "SIMT host");
  simt::device().capability = 7;
  EXPECT_EQ(why(cudaSuccess, 1), "the SIMT host has compute capability 7.0, older than 8.0");
  simt::device() = {};
}

}  // namespace
}  // namespace timbre::features
