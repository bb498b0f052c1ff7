// Timbre's side of a comparison that compare.py interleaves: reads a job a line from stdin, answers each with a line
// of JSON: {"ms": milliseconds}, or {"error": why}.
//
//   step MODEL BATCH COUNT RUNS   a training step (forward, loss, backward, Adam) of CONFIGS/MODEL.yaml, over a block of
//                                 COUNT; RUNS networks side by side, each on a thread of its own, make one step of all
//                                 together. Data lie on the device, every step gathers other rows; the wait for the
//                                 block's end is in it. The first answer also has the device's "notes".
//   cost MODEL BATCH              {"flops", "bytes", "update_bytes", "chain"} of that step: see cost_of()
//   features KIND SEGMENTS        features of segments of 3 s that lie in memory, ten at a time, by all threads; KIND stacked:
//                                 those of CONFIGS/logistic.yaml, frame by frame
//   mfcc FILES                    MFCCs of every 3-s segment of the files listed in FILES, decoding included
//   fma, copy                     floors on the CPU: milliseconds of 10^9 operations, of 10^9 bytes read and written
//   fft FILES                     the same for mfcc: the FFTs alone
//
// bench_worker THREADS DEVICE CONFIGS
#include <fftw3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "audio/decode.hpp"
#include "core_rates.hpp"
#include "data/feature_store.hpp"
#include "device/device.hpp"
#include "networks.hpp"

namespace {

using namespace timbre;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr std::int64_t segment_samples = 66150, segments_of_a_clip = 10;

double milliseconds(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct Product {
  std::int64_t m, n, k;
  int count;
};

// The products of one training step: forward, dx and dW of each kernel; the recurrent ones once per time step.
std::vector<Product> products(const nn::Model& model, std::int64_t b) {
  std::vector<Product> p;
  bool first = true;  // nobody asks for its dx
  for (const auto& layer : model.layers()) {
    const auto spec = [&](int index) -> const nn::ParameterSpec& {
      return model.parameters()[std::size_t(index)].spec;
    };
    const auto ends = [&](int index, const char* end) { return spec(index).name.ends_with(end); };
    const bool recurrent = std::any_of(layer.parameters.begin(), layer.parameters.end(),
                                       [&](int index) { return ends(index, "recurrent_kernel"); });
    for (const int index : layer.parameters) {
      if (!ends(index, "kernel")) continue;
      const auto& shape = spec(index).shape;
      const auto out = shape.back(), in = shape.size() / out;
      const auto rows = b * (recurrent ? layer.input[0] : layer.output.size() / out);
      if (ends(index, "recurrent_kernel")) {
        const int steps = int(layer.input[0]);
        p.push_back({b, out, in, steps}), p.push_back({b, in, out, steps}), p.push_back({in, out, rows, 1});
      } else {
        p.push_back({rows, out, in, 1}), p.push_back({in, out, rows, 1});
        if (!first) p.push_back({rows, in, out, 1});
      }
    }
    first = first && layer.parameters.empty();
  }
  return p;
}

/// What a step must do at least. flops: its matrix products. bytes: of each parameter the value and Adam's two moments
/// read and written, its gradient written and read; of each layer's output the values written, read by the next layer and
/// read again on the way back, their gradient written and read. update_bytes: of Adam alone, if it finds the gradient in
/// the cache. chain: products that wait for one another in recurrent layers.
Json cost_of(const std::string& configs, const std::string& name, std::int64_t batch) {
  const auto model = benchmarks::model_of(configs, name);
  double flops = 0, outputs = 0;
  std::int64_t chain = 0;
  for (const auto& p : products(model, batch)) {
    flops += 2.0 * double(p.m) * double(p.n) * double(p.k) * p.count;
    if (p.count > 1) chain += p.count;
  }
  for (const auto& layer : model.layers()) outputs += double(layer.output.size());
  return {{"flops", flops},
          {"bytes", 32.0 * double(model.trainable_parameter_count()) + 20.0 * double(batch) * outputs},
          {"update_bytes", 24.0 * double(model.trainable_parameter_count())},
          {"chain", chain}};
}

std::vector<std::string> lines_of(const std::string& file) {
  std::vector<std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) out.push_back(line);
  return out;
}

double fft(const std::string& list, ThreadPool& pool) {
  const auto files = lines_of(list);
  constexpr int n = 2048, bins = n / 2 + 1, batch = 10;
  std::vector<std::int64_t> segments;
  for (const auto& f : files)
    segments.push_back(audio::AudioReader(f, 22050).file_frames() / segment_samples);
  auto* in = fftwf_alloc_real(std::size_t(n) * batch);
  auto* out = fftwf_alloc_complex(std::size_t(bins) * batch);
  std::fill_n(in, n * batch, 0.5f);
  const int size[] = {n};
  const auto plan =
      fftwf_plan_many_dft_r2c(1, size, batch, in, nullptr, 1, n, out, nullptr, 1, bins, FFTW_ESTIMATE);
  std::vector<std::pair<float*, fftwf_complex*>> buffers;
  for (int t = 0; t < pool.threads(); ++t) {
    buffers.emplace_back(fftwf_alloc_real(std::size_t(n) * batch),
                         fftwf_alloc_complex(std::size_t(bins) * batch));
    std::fill_n(buffers.back().first, n * batch, 0.5f);
  }
  const auto start = Clock::now();
  pool.parallel_for(std::int64_t(files.size()), [&](std::int64_t i, int thread) {
    const auto [x, y] = buffers[std::size_t(thread)];
    for (std::int64_t b = 0; b < segments[std::size_t(i)] * 130 / batch; ++b)
      fftwf_execute_dft_r2c(plan, x, y);
  });
  const double time = milliseconds(start);
  for (auto [x, y] : buffers) fftwf_free(x), fftwf_free(y);
  fftwf_destroy_plan(plan);
  fftwf_free(in), fftwf_free(out);
  return time;
}

/// What stays from one job to the next: networks, engines, segments.
class Worker {
 public:
  Worker(int threads, std::string device, std::string configs)
      : threads_(threads), pool_(threads), device_(std::move(device)), configs_(std::move(configs)) {}

  Json answer(const std::string& line) {
    std::istringstream in(line);
    std::string job, what;
    std::int64_t size = 0;
    int count = 1, runs = 1;
    in >> job >> what >> size >> count >> runs;
    if (job == "step") return step(what, size, count, runs);
    if (job == "cost") return cost_of(configs_, what, size);
    if (job == "features") return {{"ms", features_of(what, size)}};
    if (job == "mfcc") return {{"ms", mfcc(what)}};
    if (job == "fma") return {{"ms", benchmarks::milliseconds_of_a_gflop(pool_)}};
    if (job == "copy") return {{"ms", benchmarks::milliseconds_of_a_gigabyte(pool_)}};
    if (job == "fft") return {{"ms", fft(what, pool_)}};
    throw std::runtime_error("unknown job: " + line);
  }

 private:
  using Networks = std::vector<std::unique_ptr<benchmarks::Network>>;

  Json step(const std::string& name, std::int64_t batch, int count, int runs) {
    Json answer;
    auto& networks = networks_[{name, batch, runs}];
    if (networks.empty()) {
      for (int r = 0; r < runs; ++r)
        networks.push_back(std::make_unique<benchmarks::Network>(configs_, name, device_, batch,
                                                                 std::uint64_t(r), data_of(name),
                                                                 device_ == "cpu" ? threads_ : 1));
      train(networks, 3);  // sets itself up: plans, a graph
      answer["notes"] = networks[0]->notes();
    }
    train(networks, count / 10);  // brings clocks and caches back
    const auto start = Clock::now();
    train(networks, count);
    answer["ms"] = milliseconds(start) / count;
    return answer;
  }

  const benchmarks::Data& data_of(const std::string& name) {
    const auto input = benchmarks::input_of(name);
    return data_.try_emplace(input.size(), input).first->second;
  }

  static void train(Networks& networks, int steps) {
    std::vector<std::future<void>> others;
    for (std::size_t r = 1; r < networks.size(); ++r)
      others.push_back(std::async(std::launch::async, [&, r] { networks[r]->train(steps); }));
    networks[0]->train(steps);
    for (auto& o : others) o.get();
  }

  /// As an extraction does it: each thread has an engine and buffers of its own, which stay.
  double mfcc(const std::string& list) {
    const auto files = lines_of(list);
    features::FeatureOptions options;
    options.n_mfcc = 13;
    file_engines_.resize(std::size_t(threads_)), buffers_.resize(std::size_t(threads_));
    for (auto& engine : file_engines_)
      if (!engine) engine = features::make_cpu_feature_engine(options, segment_samples);
    const auto start = Clock::now();
    pool_.parallel_for(std::int64_t(files.size()), [&](std::int64_t i, int thread) {
      data::extract_file(audio::AudioReader(files[std::size_t(i)], 22050),
                         *file_engines_[std::size_t(thread)],
                         {.samples = segment_samples, .hop = segment_samples}, buffers_[std::size_t(thread)],
                         [](std::span<const float>, std::int64_t) {});
    });
    return milliseconds(start);
  }

  features::FeatureOptions options_of(const std::string& kind) const {
    features::FeatureOptions options;
    options.kind = kind, options.n_mfcc = 13;
    if (kind != "stacked") return options;
    const auto root = config::load_file(configs_ + "/logistic.yaml");
    options = features::FeatureOptions::from(config::Reader(*root.find("features")));
    options.summary.reset();
    return options;
  }

  double features_of(const std::string& kind, std::int64_t count) {
    PhiloxSequence random(1, 1);
    while (std::int64_t(samples_.size()) < count * segment_samples)
      samples_.push_back(float(random.uniform(-0.5, 0.5)));
    auto& engines = engines_[kind];
    if (engines.empty()) {
      const auto options = options_of(kind);
      const auto make = features::open_features(device_, options, segment_samples);
      for (int t = 0; t < threads_; ++t) engines.push_back(make());
    }
    const auto clips = piece_count(count, segments_of_a_clip);
    const auto width = engines[0]->shape().size();
    std::vector<float> out(std::size_t(count * width));
    const auto start = Clock::now();
    pool_.parallel_for(clips, [&](std::int64_t clip, int thread) {
      const auto part = piece_of(count, clips, clip);
      engines[std::size_t(thread)]->compute(samples_.data() + part.begin * segment_samples, part.size(),
                                            out.data() + part.begin * width);
    });
    return milliseconds(start);
  }

  int threads_;
  ThreadPool pool_;
  std::string device_, configs_;
  std::map<std::int64_t, benchmarks::Data> data_;  // by the width of a row
  std::map<std::tuple<std::string, std::int64_t, int>, Networks> networks_;
  std::map<std::string, std::vector<std::unique_ptr<features::FeatureEngine>>> engines_;
  std::vector<float> samples_;
  std::vector<std::unique_ptr<features::FeatureEngine>> file_engines_;
  std::vector<data::SegmentBuffers> buffers_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("bench_worker THREADS DEVICE CONFIGS\n", stderr), 2;
  try {
    device::choose(argv[2]);
    Worker worker(std::max(1, std::atoi(argv[1])), argv[2], argv[3]);
    for (std::string line; std::getline(std::cin, line);) {
      Json answer;
      try {
        answer = worker.answer(line);
      } catch (const std::exception& e) {
        answer = {{"error", e.what()}};
      }
      std::cout << answer.dump() << std::endl;
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_worker: %s\n", e.what());
    return 1;
  }
}
