#include "data/leak_shares.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace timbre::data {

namespace {

constexpr std::array<std::array<int, 2>, 3> pairs{{{2, 0}, {2, 1}, {1, 0}}};

bool in(std::uint8_t parts, int part) { return parts >> part & 1; }

}  // namespace

const LeakShare& Leaks::of(const std::string& part, const std::string& other,
                           const std::string& relation) const {
  for (const auto& s : shares)
    if (s.part == part && s.other == other && s.relation == relation) return s;
  throw std::invalid_argument("no such share");
}

Leaks measure_leaks(std::span<const std::uint8_t> parts, const std::vector<std::string>& artists,
                    const std::vector<std::size_t>& unit, bool looked) {
  Leaks out;
  out.exposure.assign(parts.size(), Exposure::clean);
  std::map<std::size_t, std::array<std::int64_t, 3>> clips_of;  // of a unit, in each part
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto& counts = clips_of.try_emplace(unit[i]).first->second;
    for (int p = 0; p < 3; ++p) counts[std::size_t(p)] += in(parts[i], p);
  }
  for (const auto& [part, other] : pairs) {
    std::set<std::string_view> heard;
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (in(parts[i], other) && !artists[i].empty()) heard.insert(artists[i]);
    LeakShare clip{part_names[std::size_t(part)], part_names[std::size_t(other)], "clip"}, kindred = clip,
                                                                                           artist = clip;
    kindred.relation = "related", artist.relation = "artist";
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!in(parts[i], part)) continue;
      const bool itself = in(parts[i], other), near = clips_of.at(unit[i])[std::size_t(other)] > itself;
      const bool known = !artists[i].empty(), familiar = known && heard.contains(artists[i]);
      for (auto* s : {&clip, &kindred, &artist}) ++s->clips;
      ++clip.known, clip.found += itself;
      kindred.known += looked, kindred.found += looked && near;
      artist.known += known, artist.found += familiar;
      if (part == 2 && other == 0)
        out.exposure[i] = itself     ? Exposure::itself
                          : near     ? Exposure::related
                          : familiar ? Exposure::artist
                          : known    ? Exposure::clean
                                     : Exposure::unknown;
    }
    for (const auto& s : {clip, kindred, artist}) out.shares.push_back(s);
  }
  return out;
}

std::vector<std::string> leak_notes(const Leaks& leaks, bool by_artist) {
  std::vector<std::string> notes;
  const auto &clip = leaks.of("test", "train", "clip"), &kin = leaks.of("test", "train", "related"),
             &artist = leaks.of("test", "train", "artist");
  const auto leak = [&](const LeakShare& s, const char* what) {
    if (s.found)
      notes.push_back(fmt::format(
          "the split leaks: {} of {} test clips ({:.0f}%) have {} in train; test figures are too good",
          s.found, s.clips, 100 * s.share(), what));
  };
  leak(clip, "segments"), leak(kin, "a copy or near duplicate");
  if (artist.found)
    notes.push_back(fmt::format("{} of {} test clips ({:.1f}%) are by artists who are also in train{}",
                                artist.found, artist.known, 100 * artist.share(),
                                by_artist ? "" : " (group_by: artist avoids it)"));
  for (const auto& [part, other] : {std::pair{"test", "validation"}, {"validation", "train"}})
    for (const auto& [relation, what] :
         {std::pair{"clip", "segments"}, {"related", "a copy or near duplicate"}})
      if (const auto& s = leaks.of(part, other, relation); s.found)
        notes.push_back(fmt::format("{} of {} {} clips have {} in {}", s.found, s.known, part, what, other));
  return notes;
}

}  // namespace timbre::data
