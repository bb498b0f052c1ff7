#include "data/low_rate.hpp"

#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "core/simd.hpp"

namespace timbre::data {

namespace {

constexpr std::size_t taps_per_sample = 8;

/// phases[p, j] = x[j factor + p], `count` of each.
void part_phases(const float* x, std::size_t factor, std::size_t count, float* phases) {
  vectorised([&] {
    for (std::size_t p = 0; p < factor; ++p)
      for (std::size_t j = 0; j < count; ++j) phases[p * count + j] = x[j * factor + p];
  });
}

/// out[i] += sum over t of h[t factor] x[i + t]: one phase of the filter.
void add_phase(const float* x, const float* h, std::size_t factor, std::size_t n, float* out) {
  vectorised([&] {
    static_assert(taps_per_sample == 8);
    const float a = h[0], b = h[factor], c = h[2 * factor], d = h[3 * factor], e = h[4 * factor],
                f = h[5 * factor], g = h[6 * factor], k = h[7 * factor];
    for (std::size_t i = 0; i < n; ++i)
      out[i] += ((a * x[i] + b * x[i + 1]) + (c * x[i + 2] + d * x[i + 3])) +
                ((e * x[i + 4] + f * x[i + 5]) + (g * x[i + 6] + k * x[i + 7]));
  });
}

}  // namespace

LowRate::LowRate() = default;
LowRate::~LowRate() = default;
void LowRate::Delete::operator()(soxr* r) const { soxr_delete(r); }

void LowRate::begin(int rate) {
  held_.clear();
  if (rate == rate_) {
    if (resampler_) soxr_clear(resampler_.get());
    return;
  }
  rate_ = 0, factor_ = 0;
  resampler_.reset();
  if (const auto whole = std::lround(rate / low_rate);
      whole > 1 && double(whole) * low_rate == double(rate)) {
    factor_ = std::size_t(whole);
    const auto n = taps_per_sample * factor_;
    double sum = 0;
    std::vector<double> h;
    for (std::size_t t = 0; t < n; ++t) {
      const double x = (double(t) - double(n - 1) / 2) / double(factor_);  // low samples from the middle
      const double hann = 0.5 + 0.5 * std::cos(2 * std::numbers::pi * x / double(taps_per_sample));
      h.push_back(hann * (x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x)));
      sum += h.back();
    }
    taps_.clear();
    for (const double v : h) taps_.push_back(float(v / sum));
  } else {
    soxr_error_t error = nullptr;
    const auto io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const auto quality = soxr_quality_spec(SOXR_LQ, 0);
    const auto threads = soxr_runtime_spec(1);
    resampler_.reset(soxr_create(rate, low_rate, 1, &error, &io, &quality, &threads));
    if (!resampler_ || error) fail("cannot be resampled from {} Hz", rate);
  }
  rate_ = rate;
}

void LowRate::decimate(std::vector<float>& out) {
  const auto n = taps_.size();
  if (held_.size() < n) return;
  const auto count = (held_.size() - n) / factor_ + 1, columns = count + taps_per_sample - 1;
  phases_.resize(factor_ * columns);
  part_phases(held_.data(), factor_, columns, phases_.data());
  const auto first = out.size();
  out.resize(first + count, 0.0f);
  for (std::size_t p = 0; p < factor_; ++p)
    add_phase(phases_.data() + p * columns, taps_.data() + p, factor_, count, out.data() + first);
  held_.erase(held_.begin(), held_.begin() + std::ptrdiff_t(count * factor_));
}

void LowRate::add(std::span<const float> samples, std::vector<float>& out) {
  if (factor_ > 0) {
    held_.insert(held_.end(), samples.begin(), samples.end());
    decimate(out);
    return;
  }
  const auto room = std::size_t(double(samples.size()) * low_rate / rate_) + 4096;
  for (std::size_t used = 0;;) {
    std::size_t taken = 0, made = 0;
    const auto first = out.size();
    out.resize(first + room);
    const auto error = soxr_process(resampler_.get(), samples.empty() ? nullptr : samples.data() + used,
                                    samples.size() - used, &taken, out.data() + first, room, &made);
    out.resize(first + made);
    if (error) fail("cannot be resampled from {} Hz", rate_);
    used += taken;
    if (used == samples.size() && made < room) break;
  }
}

}  // namespace timbre::data
