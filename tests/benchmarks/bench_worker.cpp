// One side of a comparison that compare.py interleaves: reads a job a line from stdin, answers with milliseconds.
//
//   step MODEL BATCH COUNT     median time of a training step (forward, backward, Adam) of configs/MODEL.yaml
//   sgemm MODEL BATCH COUNT    the floor: median time of that step's matrix products alone, serial
//   mfcc FILES                 extraction of the MFCCs of every 3-s segment of the files listed in FILES
//   fft FILES                  the floor: the FFTs of the same segments alone
//
// bench_worker THREADS
#include <fftw3.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

#include "audio/decode.hpp"
#include "core/gemm.hpp"
#include "data/feature_store.hpp"
#include "networks.hpp"

namespace {

using namespace timbre;
using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

template <class F>
double median_of(int count, F&& work) {
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const auto start = Clock::now();
    work();
    times.push_back(milliseconds(start));
  }
  std::nth_element(times.begin(), times.begin() + count / 2, times.end());
  return times[std::size_t(count / 2)];
}

struct Product {
  std::int64_t m, n, k;
  int count;
};

// The products of one training step: forward, dx and dW of each layer; the recurrent ones once per time step.
std::vector<Product> products(const std::string& model, std::int64_t b) {
  std::vector<Product> p;
  const auto dense = [&](std::int64_t in, std::int64_t out, bool first = false) {
    p.push_back({b, out, in, 1}), p.push_back({in, out, b, 1});
    if (!first) p.push_back({b, in, out, 1});
  };
  const auto lstm = [&](std::int64_t t, std::int64_t in, std::int64_t u, bool first) {
    p.push_back({b * t, 4 * u, in, 1}), p.push_back({in, 4 * u, b * t, 1});
    if (!first) p.push_back({b * t, in, 4 * u, 1});
    p.push_back({b, 4 * u, u, int(t)}), p.push_back({b, u, 4 * u, int(t)}), p.push_back({u, 4 * u, b * t, 1});
  };
  const auto conv = [&](std::int64_t pixels, std::int64_t window, std::int64_t out, bool first) {
    p.push_back({b * pixels, out, window, 1}), p.push_back({window, out, b * pixels, 1});
    if (!first) p.push_back({b * pixels, window, out, 1});
  };
  if (model == "mlp") dense(1690, 512, true), dense(512, 256), dense(256, 64), dense(64, 10);
  if (model == "lstm") lstm(130, 13, 128, true), lstm(130, 128, 128, false), dense(128, 64), dense(64, 32), dense(32, 10);
  if (model == "cnn")
    conv(128 * 11, 9, 32, true), conv(62 * 4, 288, 32, false), conv(30 * 1, 128, 32, false), dense(480, 64), dense(64, 10);
  return p;
}

double sgemm_floor(const std::string& model, std::int64_t batch, int count) {
  const auto list = products(model, batch);
  std::int64_t largest = 0;
  for (const auto& p : list) largest = std::max({largest, p.m * p.k, p.k * p.n, p.m * p.n});
  std::vector<float> a(std::size_t(largest), 0.5f), b(std::size_t(largest), 0.25f), c(std::size_t(largest), 0.0f);
  return median_of(count, [&] {
    for (const auto& p : list)
      for (int i = 0; i < p.count; ++i)
        gemm(Op::none, Op::none, p.m, p.n, p.k, 1, a.data(), p.k, b.data(), p.n, 0, c.data(), p.n);
  });
}

std::vector<std::string> lines_of(const std::string& file) {
  std::vector<std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) out.push_back(line);
  return out;
}

double mfcc(const std::string& list, ThreadPool& pool) {
  features::FeatureOptions options;
  options.n_mfcc = 13;
  const auto files = lines_of(list);
  const auto start = Clock::now();
  pool.parallel_for(std::int64_t(files.size()), [&](std::int64_t i, int) {
    const auto engine = features::make_cpu_feature_engine(options, 66150);
    data::extract_file(audio::AudioReader(files[std::size_t(i)], 22050), *engine, 66150, [](std::span<const float>, std::int64_t) {});
  });
  return milliseconds(start);
}

double fft(const std::string& list, ThreadPool& pool) {
  const auto files = lines_of(list);
  constexpr int n = 2048, bins = n / 2 + 1, batch = 10;
  std::vector<std::int64_t> segments;
  for (const auto& f : files) segments.push_back(audio::AudioReader(f, 22050).file_frames() / 66150);
  auto* in = fftwf_alloc_real(std::size_t(n) * batch);
  auto* out = fftwf_alloc_complex(std::size_t(bins) * batch);
  std::fill_n(in, n * batch, 0.5f);
  const int size[] = {n};
  const auto plan = fftwf_plan_many_dft_r2c(1, size, batch, in, nullptr, 1, n, out, nullptr, 1, bins, FFTW_ESTIMATE);
  std::vector<std::pair<float*, fftwf_complex*>> buffers;
  for (int t = 0; t < pool.threads(); ++t) {
    buffers.emplace_back(fftwf_alloc_real(std::size_t(n) * batch), fftwf_alloc_complex(std::size_t(bins) * batch));
    std::fill_n(buffers.back().first, n * batch, 0.5f);
  }
  const auto start = Clock::now();
  pool.parallel_for(std::int64_t(files.size()), [&](std::int64_t i, int thread) {
    const auto [x, y] = buffers[std::size_t(thread)];
    for (std::int64_t b = 0; b < segments[std::size_t(i)] * 130 / batch; ++b) fftwf_execute_dft_r2c(plan, x, y);
  });
  const double time = milliseconds(start);
  for (auto [x, y] : buffers) fftwf_free(x), fftwf_free(y);
  fftwf_destroy_plan(plan);
  fftwf_free(in), fftwf_free(out);
  return time;
}

}  // namespace

int main(int argc, char** argv) {
  ThreadPool pool(argc > 1 ? std::stoi(argv[1]) : 1);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    std::string job, what;
    std::int64_t batch = 0;
    int count = 0;
    in >> job >> what >> batch >> count;
    double time = 0;
    if (job == "step") {
      timbre::benchmarks::Network network(what, batch, pool);
      for (int i = 0; i < 3; ++i) network.step->train(network.rows);
      time = median_of(count, [&] { network.step->train(network.rows); });
    } else if (job == "sgemm") {
      time = sgemm_floor(what, batch, count);
    } else if (job == "mfcc") {
      time = mfcc(what, pool);
    } else if (job == "fft") {
      time = fft(what, pool);
    }
    std::cout << fmt::format("{:.4f}", time) << std::endl;
  }
}
