// What this GPU can do at most, and how near the feature kernels come to it: gpu_rates [MEBIBYTES] writes one JSON
// object to stdout.
//
//   copy_gb_per_s    a copy within the device of MEBIBYTES (default 512), bytes read plus bytes written
//   sgemm_tflop_s    a square product in float32, TF32 off, of matrices that take half of MEBIBYTES
//   node_us          a kernel that does next to nothing, in a graph of them that wait for one another
//   kernels          the feature kernels as mfcc (128 bands, 13 coefficients, segments of 3 s) and spectrogram call them, on
//                    MEBIBYTES of frames, and on the 512 frames of a block in the pipeline, which stay in the cache; bytes
//                    are those that must be read and written once; share_of_copy is their rate over that of the copy
//
// Everything is enqueued by graphs, and the median of nine replays counts.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/philox.hpp"
#include "cuda/features/block_stft.hpp"
#include "cuda/features/mel_bands.hpp"
#include "cuda/features/mfcc.cu"
#include "cuda/features/spectrogram.cu"
#include "cuda/support/blas.hpp"
#include "cuda/training/graph.hpp"
#include "features/cepstrum.hpp"
#include "features/engine.hpp"
#include "features/window.hpp"

namespace {

using namespace timbre;
using namespace timbre::cuda;
using Json = nlohmann::ordered_json;

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Seconds that `enqueue` takes on the stream, in a graph of as many as take some milliseconds.
double seconds_of(cudaStream_t stream, const std::function<void()>& enqueue) {
  enqueue();  // loads the kernel
  TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream));
  const auto alone = Clock::now();
  enqueue();
  TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream));
  const int repeats = int(std::clamp(4e-3 / seconds_since(alone), 1.0, 400.0));
  ReplayedWork work("a kernel");
  const auto run = [&] {
    work.run(stream, [&] {
      for (int i = 0; i < repeats; ++i) enqueue();
    });
    TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream));
  };
  for (int warm = 0; warm < 3; ++warm) run();  // eagerly, captured, replayed
  const auto notes = work.notes();
  if (notes.empty() || notes.back().find(" is one graph of ") == std::string::npos)
    throw Error("a graph cannot be captured: " + (notes.empty() ? "none is wanted" : notes.back()));
  std::vector<double> times;
  for (int round = 0; round < 9; ++round) {
    const auto start = Clock::now();
    run();
    times.push_back(seconds_since(start));
  }
  std::nth_element(times.begin(), times.begin() + 4, times.end());
  return times[4] / repeats;
}

DeviceArray<float> random_values(std::size_t count, cudaStream_t stream) {
  PhiloxSequence random(1, 1);
  std::vector<float> some(std::min<std::size_t>(count, 1 << 20));
  for (auto& v : some) v = float(random.uniform(0.1, 1.0));
  DeviceArray<float> out(count);
  for (std::size_t at = 0; at < count; at += some.size())
    TIMBRE_CUDA_CHECK(cudaMemcpyAsync(out.data() + at, some.data(),
                                      std::min(some.size(), count - at) * sizeof(float),
                                      cudaMemcpyHostToDevice, stream));
  TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream));
  return out;
}

/// Every feature kernel on whole segments that have at least `frames` frames, and its bytes.
void measure_kernels(Stream& stream, std::int64_t wanted_frames, double copy_rate, Json& out) {
  const std::int64_t samples = 66150;
  features::FeatureOptions options;
  options.n_mfcc = 13;
  const auto per_segment = features::frame_count(options, samples);
  const auto segments = (wanted_frames + per_segment - 1) / per_segment,
             frames = std::min(wanted_frames, segments * per_segment);
  const std::int64_t bins = options.bins(), bands = options.n_mels, coefficients = options.n_mfcc,
                     whole = segments * per_segment;
  const FrameLayout layout{samples,           per_segment,      options.n_fft, options.hop_length,
                           options.n_fft / 2, PadMode::constant};

  const auto signal = random_values(std::size_t(segments * samples), stream);
  const auto window =
      upload<float>(features::make_window(options.window, options.window_samples(), options.n_fft), stream);
  const auto framed = random_values(std::size_t(frames * options.n_fft), stream);
  const auto parts = random_values(std::size_t(2 * frames * bins), stream);
  const auto* spectrum = reinterpret_cast<const float2*>(parts.data());
  const DeviceArray<float> power(std::size_t(frames * bins)), maxima{std::size_t(segments)},
      values(std::size_t(whole * coefficients));
  const auto banded = random_values(std::size_t(whole * bands), stream);
  const CudaMelBands mel(options, stream);
  const auto cosines = upload<float>(features::cepstral_cosines(bands, int(coefficients)), stream);
  clear_on_device(maxima, stream);

  const auto row = [&](const char* kernel, std::int64_t floats, const std::function<void()>& enqueue) {
    const double bytes = 4.0 * double(floats), seconds = seconds_of(stream, enqueue);
    out.push_back({{"kernel", kernel},
                   {"frames", frames},
                   {"bytes", bytes},
                   {"us", 1e6 * seconds},
                   {"gb_per_s", bytes / seconds / 1e9},
                   {"share_of_copy", bytes / seconds / copy_rate}});
  };
  row("window_frames", frames * (samples / per_segment + options.n_fft),
      [&] { window_frames(stream, signal.data(), window.data(), layout, 0, frames, framed.data()); });
  row("spectrum_power", frames * 3 * bins,
      [&] { spectrum_power(stream, spectrum, frames * bins, 2, power.data()); });
  row("mel_bands", frames * (2 * bins + bands),
      [&] { mel.enqueue(stream, spectrum, 0, frames, banded.data()); });
  row("segment_maxima", whole * bands,
      [&] { segment_maxima(stream, banded.data(), segments, per_segment * bands, maxima.data()); });
  row("to_decibels", whole * 2 * bands,
      [&] { to_decibels(stream, banded.data(), segments, per_segment * bands, maxima.data(), 80); });
  row("cepstrum", whole * (bands + coefficients), [&] {
    cepstrum(stream, banded.data(), cosines.data(), whole, int(bands), int(coefficients), values.data());
  });
}

Json measure(std::int64_t mebibytes) {
  auto stream = make_stream();
  const auto bytes = std::size_t(mebibytes) << 20;
  cudaDeviceProp properties{};
  TIMBRE_CUDA_CHECK(cudaGetDeviceProperties(&properties, 0));
  double copy_rate = 0, flop_rate = 0;
  {
    const auto from = random_values(bytes / 4, stream);
    const DeviceArray<float> to(bytes / 4);
    copy_rate = 2.0 * double(bytes) /
                seconds_of(stream, [&] { copy_on_device(from.data(), to.data(), to.size(), stream); });
  }
  {
    const auto n = std::int64_t(std::sqrt(double(bytes) / 8)) / 8 * 8;
    const auto a = random_values(std::size_t(n * n), stream), b = random_values(std::size_t(n * n), stream);
    const DeviceArray<float> c(std::size_t(n * n));
    Blas blas(stream);
    flop_rate = 2.0 * std::pow(double(n), 3) / seconds_of(stream, [&] {
                  blas.gemm(Op::none, Op::none, n, n, n, a.data(), n, b.data(), n, 0, c.data(), n);
                });
  }
  const DeviceArray<float> one(2), power(1);
  clear_on_device(one, stream);
  const double node = seconds_of(stream, [&] {
    spectrum_power(stream, reinterpret_cast<const float2*>(one.data()), 1, 2, power.data());
  });
  Json kernels = Json::array();
  const std::int64_t block = 512, many = std::int64_t(bytes) / (4 * 2048);
  measure_kernels(stream, many, copy_rate, kernels);
  if (many > block) measure_kernels(stream, block, copy_rate, kernels);
  return {{"gpu", properties.name},
          {"copy_gb_per_s", copy_rate / 1e9},
          {"sgemm_tflop_s", flop_rate / 1e12},
          {"node_us", 1e6 * node},
          {"kernels", kernels}};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::printf("%s\n", measure(std::max(1, argc > 1 ? std::atoi(argv[1]) : 512)).dump(1).c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gpu_rates: %s\n", e.what());
    return 1;
  }
}
