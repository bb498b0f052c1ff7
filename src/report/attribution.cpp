#include "report/attribution.hpp"

#include <array>
#include <limits>
#include <map>
#include <set>

#include "core/text.hpp"
#include "data/leak_shares.hpp"
#include "report/numbers.hpp"

namespace timbre::report {

namespace {

struct Answers {
  double right[2] = {0, 0}, all[2] = {0, 0};  // of clean clips, of exposed ones
};

bool is_sound(std::int32_t heard) {
  return heard == std::int32_t(data::Exposure::related) || heard == std::int32_t(data::Exposure::itself);
}

}  // namespace

std::vector<Attribution> attribute(const std::vector<const RunSummary*>& runs) {
  std::vector<Attribution> out;
  for (const bool artists : {false, true}) {
    Attribution a{.artists = artists};
    std::map<std::pair<std::string, std::int32_t>, Answers> groups;  // by data and group
    std::array<std::set<std::pair<std::string, std::int32_t>>, 2> clips;
    for (const auto* r : runs) {
      if (!r->scored() || !r->test || r->test->heard.size() != r->test->clip.size()) continue;
      const auto& t = *r->test;
      for (std::size_t i = 0; i < t.clip.size(); ++i) {
        // Where artists are compared, a clean clip is one whose artist is known, and not heard.
        const bool clean = t.heard[i] == std::int32_t(data::Exposure::clean) ||
                           (!artists && t.heard[i] == std::int32_t(data::Exposure::unknown));
        const bool exposed =
            artists ? t.heard[i] == std::int32_t(data::Exposure::artist) : is_sound(t.heard[i]);
        if (!clean && !exposed) continue;
        auto& g = groups[{r->data, t.group.size() == t.clip.size() ? t.group[i] : t.clip[i]}];
        g.right[exposed] += t.label[i] == t.prediction[i], g.all[exposed] += 1;
        clips[exposed].emplace(r->data, t.clip[i]);
      }
    }
    a.clean_clips = std::int64_t(clips[0].size()), a.exposed_clips = std::int64_t(clips[1].size());
    if (a.exposed_clips == 0) continue;
    std::vector<Answers> items;
    for (const auto& [key, answers] : groups) {
      items.push_back(answers);
      a.clean_groups += answers.all[0] > 0, a.exposed_groups += answers.all[1] > 0;
    }
    const auto accuracy = [](const Answers& g, int side) { return g.right[side] / g.all[side]; };
    const auto sum = [&](auto&& indices) {
      Answers total;
      for (const auto i : indices)
        for (int side = 0; side < 2; ++side)
          total.right[side] += items[std::size_t(i)].right[side],
              total.all[side] += items[std::size_t(i)].all[side];
      return total;
    };
    std::vector<std::int64_t> every;
    for (std::size_t i = 0; i < items.size(); ++i) every.push_back(std::int64_t(i));
    const auto total = sum(every);
    a.exposed = accuracy(total, 1), a.clean = accuracy(total, 0);
    if (a.decided())
      a.difference =
          evaluation::bootstrap_interval(std::ssize(items), [&](std::span<const std::int64_t> drawn) {
            const auto t = sum(drawn);
            return accuracy(t, 1) - accuracy(t, 0);
          });
    out.push_back(a);
  }
  return out;
}

std::string sentence(const Attribution& a, const std::string& model) {
  const auto what =
      a.artists ? "whose artist is in the training part" : "whose sound is in the training part";
  if (!a.decided())
    return fmt::format(
        "{}: what the {} {} are worth is undecided: fewer than {} clips or {} groups on one side ({} and {} "
        "exposed, {} and {} clean)",
        model, plural(a.exposed_clips, "test clip"), what, fewest_clips, fewest_groups, a.exposed_clips,
        a.exposed_groups, a.clean_clips, a.clean_groups);
  return fmt::format(
      "{}: of the {} {} it gets {} right, of the {} clean ones {}: {} (95% interval {} to {}, over "
      "groups of clips); they may be easier for other reasons as well",
      model, plural(a.exposed_clips, "test clip"), what, percent(a.exposed), a.clean_clips, percent(a.clean),
      points(a.exposed - a.clean), points(a.difference.low).substr(0, points(a.difference.low).find(' ')),
      points(a.difference.high));
}

}  // namespace timbre::report
