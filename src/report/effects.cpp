#include "report/effects.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace timbre::report {

namespace {

constexpr std::size_t most_values = 24;  // of an axis: more were drawn at random, and match nothing

using OfRepetition = std::map<std::string, const RunSummary*>;

OfRepetition scored_runs(const std::vector<RunSummary>& runs, const Configuration& c) {
  OfRepetition out;
  for (const auto i : c.runs)
    if (runs[i].scored()) out[runs[i].repetition] = &runs[i];
  return out;
}

struct Sums {
  const RunSummary* run = nullptr;
  std::vector<double> clip, loss, gap;
};

}  // namespace

void measure_effects(const std::vector<RunSummary>& runs, Family& f) {
  std::map<std::vector<std::size_t>, OfRepetition> of_values;
  for (const auto& c : f.configurations) of_values[c.values] = scored_runs(runs, c);
  for (std::size_t x = 0; x < f.axes.size(); ++x) {
    auto& axis = f.axes[x];
    if (axis.texts.size() > most_values) continue;
    for (std::size_t v = 1; v < axis.texts.size(); ++v) {
      Effect effect{.value = v};
      std::map<std::string, Sums> repetitions;
      for (const auto& c : f.configurations) {
        if (c.values.size() <= x || c.values[x] != v) continue;
        auto twin = c.values;
        twin[x] = 0;
        const auto first = of_values.find(twin);
        if (first == of_values.end()) continue;
        bool met = false;
        for (const auto& [repetition, run] : of_values[c.values]) {
          const auto other = first->second.find(repetition);
          if (other == first->second.end() || run->validation->set != other->second->validation->set)
            continue;
          auto& sums = repetitions[repetition];
          const auto &a = *run, &b = *other->second;
          sums.run = run, met = true;
          sums.clip.push_back(a.validation->clip_accuracy - b.validation->clip_accuracy);
          sums.loss.push_back(a.validation->loss - b.validation->loss);
          sums.gap.push_back(a.gap() - b.gap());
        }
        effect.pairs += met;
      }
      std::vector<Repeated> clip, loss, gap;
      for (const auto& [repetition, sums] : repetitions) {
        const auto& r = *sums.run;
        const double share =
            double(r.validation_segments) / double(std::max<std::int64_t>(1, r.train_segments));
        clip.push_back({evaluation::mean(sums.clip), r.split, share});
        loss.push_back({evaluation::mean(sums.loss), r.split, share});
        if (const double g = evaluation::mean(sums.gap); !std::isnan(g)) gap.push_back({g, r.split, share});
      }
      effect.clip = spread_of(clip, a_difference), effect.loss = spread_of(loss), effect.gap = spread_of(gap);
      axis.effects.push_back(effect);
    }
  }
}

}  // namespace timbre::report
