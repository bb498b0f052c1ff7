#include "data/leak_shares.hpp"

#include <array>
#include <set>
#include <stdexcept>
#include <string_view>

namespace timbre::data {

namespace {

constexpr std::array<const char*, 3> part_names{"train", "validation", "test"};
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
                    const std::vector<std::pair<std::int32_t, std::int32_t>>& related, bool looked) {
  Leaks out;
  out.exposure.assign(parts.size(), Exposure::clean);
  std::vector<std::uint8_t> kin(parts.size(), 0);  // the parts of related clips
  for (const auto& [a, b] : related) {
    kin[std::size_t(a)] |= parts[std::size_t(b)];
    kin[std::size_t(b)] |= parts[std::size_t(a)];
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
      const bool itself = in(parts[i], other), near = in(kin[i], other);
      const bool known = !artists[i].empty(), familiar = known && heard.contains(artists[i]);
      for (auto* s : {&clip, &kindred, &artist}) ++s->clips;
      ++clip.known, clip.found += itself;
      kindred.known += looked, kindred.found += looked && near;
      artist.known += known, artist.found += familiar;
      if (part == 2 && other == 0)
        out.exposure[i] = itself     ? Exposure::itself
                          : near     ? Exposure::related
                          : familiar ? Exposure::artist
                                     : Exposure::clean;
    }
    for (const auto& s : {clip, kindred, artist}) out.shares.push_back(s);
  }
  return out;
}

}  // namespace timbre::data
