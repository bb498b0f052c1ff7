#include "run/guard.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "core/interrupt.hpp"
#include "core/text.hpp"

namespace timbre::run {

namespace {

std::string percent(double share) {
  return std::isnan(share) ? "unknown" : fmt::format("{:.1f}%", 100 * share);
}

std::string parts_text(std::uint8_t parts) {
  std::vector<std::string> in;
  for (std::size_t p = 0; p < data::part_names.size(); ++p)
    if (parts >> p & 1) in.push_back(data::part_names[p]);
  return join(in, "+");
}

}  // namespace

std::shared_ptr<const data::Survey> survey_of(const Plan& plan, const std::filesystem::path& runs,
                                              ThreadPool& pool, Watcher& watcher) {
  if (plan.survey) return plan.survey;
  with_place(plan.config, [&] {  // before any file is decoded
    data::check_split_request(plan.config.split, plan.clips);
  });
  const Counter progress(watcher, "fingerprints");
  return with_place(plan.config, [&] {
    return std::make_shared<const data::Survey>(data::survey_clips(
        plan.clips, runs.empty() ? runs : runs / "fingerprints", pool,
        {[&](std::int64_t done, std::int64_t total) { progress(done, total); }, throw_if_stopped}));
  });
}

Preview preview(const Plan& plan, const data::Survey& survey) {
  const auto& config = plan.config;
  return with_place(config, [&] {
    Preview out;
    out.table = data::expected_table(plan.clips, config.dataset, config.features, survey);
    out.split = data::make_split(config.split, out.table, std::uint64_t(config.seed));
    refuse_leaks(config, out.split);
    return out;
  });
}

void refuse_leaks(const RunConfig& config, const data::Split& split) {
  if (config.leakage != "refuse") return;
  std::vector<std::string> found;
  for (const auto& s : split.shares)
    if (s.relation != "artist" && s.found > 0)
      found.push_back(fmt::format(
          "{} of {} {} clips {} {}", s.found, s.known, s.part,
          s.relation == "clip" ? "have segments in" : "have a copy or near duplicate in", s.other));
  if (!found.empty())
    fail_at("leakage",
            "refuse: {} (split.group_by: clip keeps them together, where no lists or folds decide; "
            "leakage: warn lets them pass)",
            join(found));
}

results::SplitRecord split_record(const data::Split& split, const std::vector<data::Clip>& clips) {
  results::SplitRecord out{{split}, {}, {}};
  for (const auto* notes : {&split.notes, &split.leak_notes})
    for (const auto& text : *notes) out.notes.emplace_back(fmt::format("note{}", out.notes.size()), text);
  std::map<std::string_view, std::uint8_t> parts;
  for (std::size_t i = 0; i < clips.size(); ++i) parts[clips[i].path] = split.clip_parts[i];
  for (const auto& pair : split.related)
    out.related.push_back({pair, parts_text(parts[pair.clip_a]), parts_text(parts[pair.clip_b])});
  return out;
}

std::string split_counts(const data::Split& split, const data::FeatureTable& table) {
  std::string out;
  const auto part = [&](const char* name, const std::vector<std::int32_t>& rows) {
    std::vector<std::int32_t> seen;
    for (const auto r : rows) seen.push_back(table.clip[std::size_t(r)]);
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    out += fmt::format("{:<11} {:>6} clips {:>7} segments\n", name, seen.size(), rows.size());
  };
  part("train", split.train), part("validation", split.validation), part("test", split.test);
  out += fmt::format("test clips also in train: {}; test clips whose artist is also in train: {}\n",
                     percent(split.clip_share_in_train), percent(split.artist_share_in_train));
  const bool shared = std::any_of(split.shares.begin(), split.shares.end(), [](const data::LeakShare& s) {
    return s.relation == "related" && s.found > 0;
  });
  if (!split.related.empty())
    out += fmt::format("{} {} of clips are copies or near duplicates, {} (first: {} and {})\n",
                       split.related.size(), split.related.size() == 1 ? "pair" : "pairs",
                       shared ? "and parts share some of them" : "kept together",
                       printable(split.related[0].clip_a), printable(split.related[0].clip_b));
  for (const auto& s : results::split_stamps(split_record(split, table.clips)))
    out += s.name + ": " + printable(s.text) + "\n";
  return out;
}

std::vector<std::string> split_notes(const RunConfig& config, const data::Split& split) {
  auto out = split.notes;
  if (config.leakage != "allow") out.insert(out.end(), split.leak_notes.begin(), split.leak_notes.end());
  return out;
}

}  // namespace timbre::run
