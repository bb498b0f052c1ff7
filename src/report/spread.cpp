#include "report/spread.hpp"

#include <algorithm>
#include <map>

namespace timbre::report {

Spread spread_of(const std::vector<Repeated>& repeated, evaluation::Interval possible) {
  std::vector<double> values, shares;
  std::map<std::int32_t, std::vector<double>> splits;
  for (const auto& r : repeated) {
    values.push_back(r.value), shares.push_back(r.share);
    splits[r.split].push_back(r.value);
  }
  Spread s;
  s.n = std::int64_t(values.size());
  s.corrected = splits.size() > 1;
  s.repetitions = s.corrected ? std::int64_t(splits.size()) : s.n;
  s.mean = evaluation::mean(values), s.deviation = evaluation::standard_deviation(values);
  if (s.n > 0) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    s.least = *least, s.most = *most;
  }
  if (s.n < 2) return s;
  // Equal values differ from their mean by rounding; that is no spread.
  const bool equal = s.deviation < 1e-12;
  if (equal) s.mean = values[0], s.deviation = 0;
  if (!s.has_interval()) return s;
  if (equal) {
    s.low = s.high = s.mean, s.half = s.error = 0;
    return s;
  }
  if (s.corrected) {
    values.clear();
    for (const auto& [split, figures] : splits) values.push_back(evaluation::mean(figures));
  }
  const double share = s.corrected ? evaluation::mean(shares) : 0;
  const auto interval = evaluation::t_interval(values, 0.95, share);
  s.half = (interval.high - interval.low) / 2;
  const auto shown = evaluation::cut({s.mean - s.half, s.mean + s.half}, possible.low, possible.high);
  s.low = shown.low, s.high = shown.high;
  s.error = s.half / evaluation::student_quantile(0.975, double(values.size()) - 1);
  return s;
}

}  // namespace timbre::report
