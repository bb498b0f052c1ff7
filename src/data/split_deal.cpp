#include "data/split_deal.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace timbre::data {

namespace {

struct Swap {
  std::size_t from, to;  // positions in the order
  double gain;           // by which the sum of squares falls
};

/// The best swap that moves rows from part p to part q, whose positions are sorted by size. excess = e_p - e_q > 0,
/// where e is rows minus target. Moving d rows lowers the sum of squares by 2 d (excess - d): most at d = excess / 2.
std::optional<Swap> best_swap(const std::vector<std::size_t>& p, const std::vector<std::size_t>& q,
                              double excess, const auto& size_of) {
  std::optional<Swap> best;
  for (const auto a : p) {
    const auto wanted = double(size_of(a)) - excess / 2;
    const auto above = std::lower_bound(
        q.begin(), q.end(), wanted, [&](std::size_t b, double size) { return double(size_of(b)) < size; });
    for (const auto it :
         {above == q.begin() ? above : above - 1, above}) {  // the nearest from below and from above
      if (it == q.end()) continue;
      const double d = double(size_of(a) - size_of(*it)), gain = 2 * d * (excess - d);
      if (gain > 1e-6 && (!best || gain > best->gain)) best = Swap{a, *it, gain};
    }
  }
  return best;
}

}  // namespace

std::vector<std::int64_t> largest_remainder(std::int64_t count, std::span<const double> fractions) {
  // 0.6 * 10 must be 6 whatever the last bit of 0.6 says, and remainders that differ in it are equal.
  constexpr double tolerance = 1e-7;
  std::vector<std::int64_t> out;
  std::vector<double> remainder;
  std::int64_t left = count;
  for (const double f : fractions) {
    const double quota = f * double(count);
    out.push_back(static_cast<std::int64_t>(std::floor(quota + tolerance)));
    remainder.push_back(quota - double(out.back()));
    left -= out.back();
  }
  std::vector<bool> raised(out.size(), false);
  for (; left > 0; --left) {
    std::size_t best = out.size();
    for (std::size_t p = 0; p < out.size(); ++p)
      if (!raised[p] && (best == out.size() || remainder[p] > remainder[best] + tolerance)) best = p;
    if (best == out.size()) best = 0;  // fractions that do not add up to 1
    raised[best] = true, ++out[best];
  }
  return out;
}

std::vector<int> deal(std::span<const std::int32_t> order, std::span<const std::int64_t> sizes,
                      std::span<const std::int64_t> counts, std::span<const double> fractions) {
  const auto parts = counts.size();
  const auto size_of = [&](std::size_t i) { return sizes[std::size_t(order[i])]; };
  std::vector<int> part(order.size());
  std::vector<std::vector<std::size_t>> members(parts);
  std::vector<double> excess(parts, 0);  // rows of each part minus its target
  std::size_t next = 0;
  double total = 0;
  for (std::size_t p = 0; p < parts; ++p)
    for (std::int64_t n = 0; n < counts[p]; ++n, ++next) {
      part[next] = static_cast<int>(p);
      members[p].push_back(next);
      excess[p] += double(size_of(next)), total += double(size_of(next));
    }
  const auto by_size = [&](std::size_t a, std::size_t b) {
    return size_of(a) != size_of(b) ? size_of(a) < size_of(b) : a < b;
  };
  for (std::size_t p = 0; p < parts; ++p) {
    excess[p] -= fractions[p] * total;
    std::sort(members[p].begin(), members[p].end(), by_size);
  }
  // Every swap lowers the sum of squares, so this ends; the bound keeps huge tables quick.
  for (std::size_t round = 0; round < 20 * order.size(); ++round) {
    std::optional<Swap> best;
    for (std::size_t p = 0; p < parts; ++p)
      for (std::size_t q = 0; q < parts; ++q) {
        if (excess[p] - excess[q] <= 0) continue;
        const auto swap = best_swap(members[p], members[q], excess[p] - excess[q], size_of);
        if (swap && (!best || swap->gain > best->gain)) best = swap;
      }
    if (!best) break;
    const auto p = std::size_t(part[best->from]), q = std::size_t(part[best->to]);
    const double moved = double(size_of(best->from) - size_of(best->to));
    excess[p] -= moved, excess[q] += moved;
    const auto replace = [&](std::vector<std::size_t>& in, std::size_t out, std::size_t with) {
      in.erase(std::find(in.begin(), in.end(), out));
      in.insert(std::upper_bound(in.begin(), in.end(), with, by_size), with);
    };
    replace(members[p], best->from, best->to);
    replace(members[q], best->to, best->from);
    std::swap(part[best->from], part[best->to]);
  }
  return part;
}

}  // namespace timbre::data
