#include "report/stamps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/text.hpp"
#include "report/numbers.hpp"

namespace timbre::report {

namespace {

/// The least and the most of what was seen; NaN is not.
struct Span {
  double least = std::numeric_limits<double>::quiet_NaN(), most = least;
  void add(double v) {
    if (std::isnan(v)) return;
    least = std::isnan(least) ? v : std::min(least, v);
    most = std::isnan(most) ? v : std::max(most, v);
  }
  std::string text() const {
    return least == most ? percent(least) : percent(least) + " to " + percent(most);
  }
};

std::string brief_artists(double least, double most) {
  const auto whole = [](double v) { return fmt::format("{:.0f}", 100 * v); };
  return "ARTISTS " + (whole(least) == whole(most) ? "" : whole(least) + " to ") + whole(most) + "%";
}

std::vector<std::string> brief(bool synthetic, bool leaks, const ArtistShare& artists, bool missing) {
  std::vector<std::string> out;
  if (synthetic) out.push_back("SYNTHETIC");
  if (leaks) out.push_back("LEAKS");
  if (artists.most > 0) out.push_back(brief_artists(artists.least, artists.most));
  if (missing) out.push_back("MISSING");
  return out;
}

}  // namespace

ArtistShare artist_share(const Analysis& a, const Family& f) {
  Span span;
  for (const auto& c : f.configurations)
    for (const auto i : c.runs) span.add(a.runs[i].artist_share);
  return {span.least, span.most};
}

std::vector<std::string> brief_stamps(const Analysis& a, const Family& f) {
  bool missing = false;
  for (const auto& c : f.configurations)
    for (const auto i : c.runs) missing |= !a.runs[i].missing.empty();
  return brief(f.synthetic, f.leaks, artist_share(a, f), missing);
}

std::vector<std::string> brief_stamps(const RunSummary& r) {
  return brief(r.synthetic, r.leaks, {r.artist_share, r.artist_share}, !r.missing.empty());
}

std::vector<results::Stamp> stamps(const Analysis& a) {
  std::vector<results::Stamp> out;
  std::int64_t synthetic = 0, leaks = 0, artists = 0, missing = 0;
  Span clips, related, by_artist;
  std::set<std::string> classes;
  for (const auto& r : a.runs) {
    synthetic += r.synthetic, leaks += r.leaks, artists += r.artist_share > 0, missing += !r.missing.empty();
    if (r.leaks && (r.clip_share > 0 || !(r.related_share > 0))) clips.add(r.clip_share);
    if (r.leaks && r.related_share > 0) related.add(r.related_share);
    if (r.artist_share > 0) by_artist.add(r.artist_share);
    classes.insert(r.missing.begin(), r.missing.end());
  }
  const auto runs = std::int64_t(a.runs.size());
  const auto which = [&](std::int64_t n) {
    return n == runs ? std::string() : fmt::format(" ({} of {} runs)", n, runs);
  };
  if (synthetic > 0)
    out.push_back({"SYNTHETIC", "SYNTHETIC",
                   "generated sounds, not music; the figures say nothing about genres" + which(synthetic)});
  if (leaks > 0) {
    std::vector<std::string> what;
    if (!std::isnan(clips.most))
      what.push_back(clips.text() + " of the test clips have segments in the training part");
    if (!std::isnan(related.most))
      what.push_back(related.text() +
                     " of the test clips have a copy or near duplicate in the training part");
    out.push_back({"LEAKS", "LEAKS", join(what) + "; the figures are too good" + which(leaks)});
  }
  if (artists > 0)
    out.push_back({"ARTISTS", "ARTISTS",
                   by_artist.text() +
                       " of the test clips are by artists who are also in the training part; for other "
                       "artists the figures are too good" +
                       which(artists)});
  if (missing > 0) {
    std::vector<std::string> some(classes.begin(), classes.end());
    if (some.size() > 6) some.resize(6), some.push_back("...");
    out.push_back({"MISSING", "MISSING",
                   "parts lack classes (" + join(some, "; ") +
                       "); the figures say nothing about these classes there" + which(missing)});
  }
  return out;
}

}  // namespace timbre::report
