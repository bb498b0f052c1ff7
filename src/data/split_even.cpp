#include "data/split_even.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "core/philox.hpp"

namespace timbre::data {

namespace {

constexpr double tolerance = 1e-9;        // deviations nearer than this are equal
constexpr std::int64_t budget = 3000000;  // moves that all descents together may try
constexpr int restarts = 64;

/// The cost of a deal.
struct Worth {
  std::int64_t lacking = 0;
  double deviation = 0;
  bool better_than(const Worth& other) const {
    return lacking != other.lacking ? lacking < other.lacking : deviation < other.deviation - tolerance;
  }
};

/// Parts being filled. Cell 0 of a part is its size, the others are its classes.
class Table {
 public:
  Table(std::span<const MixedGroup> groups, std::span<const double> fractions, bool by_class)
      : parts_(fractions.size()) {
    std::map<std::int32_t, std::size_t> cell_of;
    if (by_class)
      for (const auto& g : groups)
        for (const auto& [label, count] : g.classes) cell_of.emplace(label, cell_of.size() + 1);
    cells_ = cell_of.size() + 1;
    std::vector<double> total(cells_, 0);
    for (const auto& g : groups) {
      auto& held = held_.emplace_back();
      held.push_back({0, double(g.size)});
      if (by_class)
        for (const auto& [label, count] : g.classes) held.push_back({cell_of.at(label), double(count)});
      for (const auto& [cell, count] : held) total[cell] += count;
    }
    for (const double f : fractions)
      for (std::size_t c = 0; c < cells_; ++c) target_.push_back(std::max(f * total[c], 1e-300));
    clear();
  }

  std::size_t parts() const { return parts_; }
  std::size_t groups() const { return held_.size(); }
  const Worth& worth() const { return worth_; }
  /// The part of the deviation that no further group can lower: all that is above its target.
  double bound() const { return bound_; }

  void clear() {
    count_.assign(parts_ * cells_, 0);
    worth_ = {std::int64_t(parts_ * cells_), double(parts_ * cells_)};
    bound_ = 0;
  }
  void put(std::size_t group, std::size_t part) { change(group, part, 1); }
  void take(std::size_t group, std::size_t part) { change(group, part, -1); }

 private:
  void change(std::size_t group, std::size_t part, double sign) {
    for (const auto& [cell, count] : held_[group]) {
      auto& n = count_[part * cells_ + cell];
      const double target = target_[part * cells_ + cell];
      const double before = n / target - 1;
      const bool empty = n == 0;
      n += sign * count;
      const double after = n / target - 1;
      worth_.deviation += after * after - before * before;
      worth_.lacking += std::int64_t(n == 0) - std::int64_t(empty);
      bound_ += (after > 0 ? after * after : 0) - (before > 0 ? before * before : 0);
    }
  }

  std::size_t parts_, cells_ = 1;
  std::vector<std::vector<std::pair<std::size_t, double>>> held_;  // of each group: cells and counts
  std::vector<double> target_, count_;                             // [parts, cells]
  Worth worth_;
  double bound_ = 0;
};

void fill(Table& table, std::span<const int> part) {
  table.clear();
  for (std::size_t g = 0; g < part.size(); ++g) table.put(g, std::size_t(part[g]));
}

/// Each group of `order` goes where it does best.
std::vector<int> greedy(Table& table, const std::vector<std::size_t>& order) {
  std::vector<int> part(order.size());
  table.clear();
  for (const auto g : order) {
    Worth best{std::numeric_limits<std::int64_t>::max(), 0};
    for (std::size_t p = 0; p < table.parts(); ++p) {
      table.put(g, p);
      if (table.worth().better_than(best)) best = table.worth(), part[g] = int(p);
      table.take(g, p);
    }
    table.put(g, std::size_t(part[g]));
  }
  return part;
}

/// Moves and swaps until none helps, or `left` is spent. The table holds `part` before and after.
void descend(Table& table, std::vector<int>& part, const std::vector<std::size_t>& order,
             std::int64_t& left) {
  const auto move = [&](std::size_t g, int to) {
    table.take(g, std::size_t(part[g])), table.put(g, std::size_t(to));
    part[g] = to;
  };
  for (bool moved = true; moved && left > 0;) {
    moved = false;
    for (const auto g : order)
      for (int p = 0; p < int(table.parts()); ++p) {
        if (p == part[g]) continue;
        const auto before = table.worth();
        const int from = part[g];
        move(g, p), --left;
        if (table.worth().better_than(before))
          moved = true;
        else
          move(g, from);
      }
    if (moved) continue;
    for (const auto g : order)
      for (const auto h : order) {
        if (h <= g || part[g] == part[h]) continue;
        if (--left <= 0) return;
        const auto before = table.worth();
        const int p = part[g], q = part[h];
        move(g, q), move(h, p);
        if (table.worth().better_than(before))
          moved = true;
        else
          move(h, q), move(g, p);
      }
  }
}

/// Weighs every deal that can still be better than the best so far.
class Exhaustive {
 public:
  Exhaustive(Table& table, const std::vector<std::size_t>& order, bool alike, Worth best)
      : table_(table), order_(order), alike_(alike), part_(order.size()), best_(best) {
    table_.clear();
    go(0, 0);
  }
  /// Empty where nothing was better.
  std::vector<int> found;

 private:
  void go(std::size_t depth, std::size_t used) {
    if (depth == order_.size()) {
      if (table_.worth().better_than(best_)) best_ = table_.worth(), found = part_;
      return;
    }
    // One group can fill at most its own cells of one part.
    const auto g = order_[depth];
    const auto last = alike_ ? std::min(table_.parts(), used + 1) : table_.parts();
    for (std::size_t p = 0; p < last; ++p) {
      table_.put(g, p);
      part_[g] = int(p);
      if (best_.lacking > 0 || table_.bound() < best_.deviation - tolerance)
        go(depth + 1, std::max(used, p + 1));
      table_.take(g, p);
    }
  }

  Table& table_;
  const std::vector<std::size_t>& order_;
  bool alike_;
  std::vector<int> part_;
  Worth best_;
};

}  // namespace

EvenDeal judge_deal(std::span<const MixedGroup> groups, std::span<const double> fractions, bool by_class,
                    std::vector<int> part) {
  Table table(groups, fractions, by_class);
  fill(table, part);
  return {std::move(part), table.worth().lacking, table.worth().deviation, false};
}

EvenDeal deal_evenly(std::span<const MixedGroup> groups, std::span<const double> fractions, bool by_class,
                     bool alike, std::uint64_t seed, std::span<const int> start) {
  PhiloxSequence random(seed, stream::split, 1u << 31);  // no class has this number
  const auto shuffled = [&](std::vector<std::size_t> order) {
    for (auto i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    return order;
  };
  std::vector<std::size_t> all(groups.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const auto larger = [&](std::size_t a, std::size_t b) { return groups[a].size > groups[b].size; };

  Table table(groups, fractions, by_class);
  std::vector<int> best;
  Worth worth{std::numeric_limits<std::int64_t>::max(), 0};
  auto left = budget;
  for (int trial = 0; trial < restarts && left > 0; ++trial) {
    auto order = shuffled(all);
    std::vector<int> part(start.begin(), start.end());
    if (trial > 0 || part.empty()) {
      // Large groups first, or none first: by turns.
      if (trial % 2 == 0) std::stable_sort(order.begin(), order.end(), larger);
      part = greedy(table, order);
    }
    fill(table, part);
    descend(table, part, order, left);
    fill(table, part);  // sums of differences drift in their last bits
    if (table.worth().better_than(worth)) worth = table.worth(), best = part;
  }
  double deals = 1;
  for (std::size_t g = 0; g < groups.size() && deals < 1e100; ++g) deals *= double(fractions.size());
  if (alike) deals /= std::tgamma(double(fractions.size()) + 1);
  const bool exact = deals <= exact_deals;
  if (exact) {
    auto order = shuffled(all);
    std::stable_sort(order.begin(), order.end(), larger);
    const Exhaustive search(table, order, alike, worth);
    if (!search.found.empty()) best = search.found;
  }
  if (alike) {
    std::vector<std::size_t> name(fractions.size());
    std::iota(name.begin(), name.end(), std::size_t{0});
    name = shuffled(name);
    for (auto& p : best) p = int(name[std::size_t(p)]);
  }
  auto out = judge_deal(groups, fractions, by_class, std::move(best));
  out.exact = exact;
  return out;
}

}  // namespace timbre::data
