#include "report/spread.hpp"

#include <map>

#include "evaluation/statistics.hpp"

namespace timbre::report {

Spread spread_of(const std::vector<Repeated>& repeated) {
  std::vector<double> values, shares;
  std::map<std::int32_t, std::vector<double>> splits;
  for (const auto& r : repeated) {
    values.push_back(r.value), shares.push_back(r.share);
    splits[r.split].push_back(r.value);
  }
  Spread s;
  s.n = std::int64_t(values.size());
  s.corrected = splits.size() > 1;
  s.mean = evaluation::mean(values), s.deviation = evaluation::standard_deviation(values);
  if (s.n < 2) return s;
  // Equal values differ from their mean by rounding; that is no spread.
  if (s.deviation < 1e-12) {
    s.mean = s.low = s.high = values[0], s.deviation = s.error = 0;
    return s;
  }
  if (s.corrected) {
    values.clear();
    for (const auto& [split, figures] : splits) values.push_back(evaluation::mean(figures));
  }
  const double share = s.corrected ? evaluation::mean(shares) : 0;
  const auto interval = evaluation::t_interval(values, 0.95, share);
  const double half = (interval.high - interval.low) / 2;
  s.low = s.mean - half, s.high = s.mean + half;
  s.error = half / evaluation::student_quantile(0.975, double(values.size()) - 1);
  return s;
}

}  // namespace timbre::report
