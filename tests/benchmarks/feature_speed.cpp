// How many segments per second each device computes features of: feature_speed [ROUNDS] writes a JSON array
// to stdout.
//
// Every kind with the defaults of the configurations (3 s at 22050 Hz), in batches of ten segments (a clip),
// by one and by as many threads as there are cores. Devices take turns within a round, so that a machine that
// grows slow is slow for all; the median of the rounds counts, after one that does not. The time is that of
// the caller: copies to and from the device are in it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/parallel.hpp"
#include "core/philox.hpp"
#include "device/device.hpp"
#include "features/engine.hpp"

namespace {

using namespace timbre;

constexpr std::int64_t samples = 66150, batch = 10, batches_per_thread = 4;

struct Case {
  std::string kind, device;
  int threads;
  features::EngineMaker make;
  std::vector<double> rates = {};
};

/// Segments per second of all threads together.
double rate_of(const Case& c, const std::vector<float>& segments) {
  ThreadPool pool(c.threads);
  struct Worker {
    std::unique_ptr<features::FeatureEngine> engine;
    std::vector<float> out;
  };
  std::vector<Worker> workers(std::size_t(c.threads));
  for (auto& w : workers) {
    w.engine = c.make();
    w.out.resize(std::size_t(batch * w.engine->shape().size()));
  }
  const auto pieces = c.threads * batches_per_thread;
  const auto start = std::chrono::steady_clock::now();
  pool.parallel_for(pieces, [&](std::int64_t, int thread) {
    auto& w = workers[std::size_t(thread)];
    w.engine->compute(segments.data(), batch, w.out.data());
  });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return double(pieces * batch) / seconds.count();
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  PhiloxSequence random(1, 1);
  std::vector<float> segments(std::size_t(batch * samples));
  for (auto& v : segments) v = float(random.uniform(-0.5, 0.5));

  std::vector<std::string> devices{"cpu"};
  if (const auto choice = device::choose("auto"); choice.name != "cpu")
    devices.push_back(choice.name);
  else
    std::fprintf(stderr, "%s\n", choice.notice.c_str());
  std::vector<Case> cases;
  for (const auto& kind : features::FeatureRegistry::instance().names())
    for (const auto& name : devices) {
      features::FeatureOptions options;
      options.kind = kind, options.n_mfcc = 13;
      const auto make = features::open_features(name, options, samples);
      cases.push_back({kind, name, 1, make});
      if (available_cores() > 1) cases.push_back({kind, name, available_cores(), make});
    }
  for (int round = 0; round <= rounds; ++round)
    for (auto& c : cases)
      if (const double rate = rate_of(c, segments); round > 0) c.rates.push_back(rate);

  auto result = nlohmann::ordered_json::array();
  for (auto& c : cases) {
    std::sort(c.rates.begin(), c.rates.end());
    result.push_back({{"kind", c.kind},
                      {"device", c.device},
                      {"threads", c.threads},
                      {"segments_per_second", c.rates[c.rates.size() / 2]},
                      {"slowest", c.rates.front()},
                      {"fastest", c.rates.back()},
                      {"rounds", rounds}});
  }
  std::printf("%s\n", result.dump(1).c_str());
}
