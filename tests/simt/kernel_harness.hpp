// How a kernel is tested: cases that run it and compare with a reference in double, for every order of
// threads, and again with each of its barriers taken out, which must show.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/philox.hpp"
#include "cuda/support/memory.hpp"
#include "host/device.hpp"

namespace timbre::cuda {

struct KernelCase {
  std::string name;
  std::function<double()>
      run;  // the largest error, in parts of what is allowed; infinite for what is not a number
};

/// Values from a counter-based generator, between low and high.
inline std::vector<float> random_values(std::size_t n, std::uint64_t seed, double low, double high) {
  PhiloxSequence random(seed, 7);
  std::vector<float> x(n);
  for (auto& v : x) v = static_cast<float>(random.uniform(low, high));
  return x;
}

/// An array on the stand-in device, filled or left as it comes (NaN).
template <class T>
DeviceArray<T> to_device(const std::vector<T>& values) {
  return upload(std::span<const T>(values), nullptr);
}
template <class T>
std::vector<T> from_device(const DeviceArray<T>& array) {
  std::vector<T> out(array.size());
  download(array.data(), std::span<T>(out), nullptr);
  return out;
}

/// Largest |a - b| / allowed(b); infinite where the sizes differ or a value is not finite.
template <class Allowed>
double worst_error(const std::vector<float>& a, const std::vector<double>& b, Allowed allowed) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i])) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, std::abs(a[i] - b[i]) / allowed(b[i]));
  }
  return worst;
}

/// Runs with an order and perhaps a mutant, and puts the settings back.
class Running {
 public:
  explicit Running(simt::Order order, std::uint64_t seed = 1, std::optional<simt::Site> skipped = {})
      : before_(simt::settings()) {
    auto& s = simt::settings();
    s.order = order, s.seed = seed, s.skipped = std::move(skipped), s.barriers.clear();
  }
  ~Running() { simt::settings() = before_; }
  Running(const Running&) = delete;

 private:
  simt::Settings before_;
};

inline constexpr simt::Order every_order[] = {simt::Order::forward, simt::Order::reversed,
                                              simt::Order::shuffled};

/// Takes out every barrier that the cases pass, one at a time: some case must then fail in some order.
/// `count` barriers are expected.
inline void expect_every_barrier_is_needed(const std::vector<KernelCase>& cases, std::size_t count) {
  std::map<simt::Site, std::vector<const KernelCase*>> sites;
  for (const auto& c : cases) {
    const Running running(simt::Order::forward);
    c.run();
    for (const auto& site : simt::settings().barriers) sites[site].push_back(&c);
  }
  EXPECT_EQ(sites.size(), count);
  for (const auto& [site, users] : sites) {
    bool caught = false;
    for (const auto* c : users)
      for (const auto order : every_order) {
        const Running running(order, 1, site);
        try {
          caught = caught || c->run() > 1.0;
        } catch (const simt::Fault&) {
          caught = true;
        }
      }
    EXPECT_TRUE(caught) << "no case misses the barrier at " << site.file << ":" << site.line;
  }
}

}  // namespace timbre::cuda
