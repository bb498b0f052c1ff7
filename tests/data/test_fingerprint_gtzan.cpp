// The guard on real music, where there is some: what is planted is found, nothing else is accused, and by what margin.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "audio/decode.hpp"
#include "audio_file.hpp"
#include "data/fingerprint_match.hpp"
#include "data/survey.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

using namespace test;

struct Music {
  std::vector<std::string> names;
  std::vector<Fingerprint> prints;
  void add(const std::string& name, const fs::path& file, Fingerprinter& make) {
    names.push_back(name);
    prints.push_back(make.of(file));
    EXPECT_EQ(prints.back().reason, "") << file;
  }
  void add_tree(const fs::path& root, Fingerprinter& make) {
    DatasetOptions o;
    o.path = root;
    for (const auto& clip : index_clips(o).clips)
      add(std::string(without_audio_extension(clip.path)), clip.file, make);
  }
};

const fs::path shared = TIMBRE_SHARED_DATA;

TEST(GuardOnGtzan, FindsWhatIsPlantedAndAccusesNoRealPair) {
  if (!fs::exists(shared / "gtzan_mini")) GTEST_SKIP() << "no music at " << shared;
  Fingerprinter make;
  Music music;
  music.add_tree(shared / "gtzan_mini", make);
  ThreadPool pool(2);
  EXPECT_EQ(match_fingerprints(music.prints, pool).size(), 0u);
  double nearest = 1;
  std::string who;
  for (std::size_t a = 0; a < music.prints.size(); ++a)
    for (std::size_t b = a + 1; b < music.prints.size(); ++b)
      for (std::int64_t offset = -200; offset <= 200; ++offset) {
        bool accepted = false;
        const double rate = error_rate_at(music.prints[a].words, music.prints[b].words, offset, accepted);
        EXPECT_FALSE(accepted) << music.names[a] << " " << music.names[b];
        if (rate < nearest) nearest = rate, who = music.names[a] + " and " + music.names[b];
      }
  std::printf("nearest of %zu real pairs: error rate %.3f (%s); accepted is 0.30\n",
              music.prints.size() * (music.prints.size() - 1) / 2, nearest, who.c_str());

  TempFolder planted;
  const std::vector<std::string> kinds{"copy",  "mp3 128 kb/s", "minus 2 s",
                                       "+1 dB", "44.1 kHz",     "44.1 kHz and back"};
  std::map<std::string, double> worst;
  auto all = music;
  std::vector<std::pair<std::size_t, std::string>> origin;  // of what was planted
  for (std::size_t i = 0; i < music.names.size(); i += 5) {
    const auto file = shared / "gtzan_mini" / (music.names[i] + ".wav");
    const auto x = audio::read_all(file, 22050);
    const auto plant = [&](std::size_t kind, const std::vector<float>& samples, int rate, int format,
                           double level = -1) {
      const auto to = planted / fs::path(fmt::format("{}/{}", kind, i));
      write_audio(to, samples, rate, format, level);
      all.add(kinds[kind], to, make);
      origin.emplace_back(i, kinds[kind]);
      return to;
    };
    plant(0, x, 22050, flac);
    plant(1, x, 22050, mp3, kilobits_128);
    plant(2, {x.begin() + 2 * 22050, x.end()}, 22050, wav);
    auto louder = x;
    for (auto& v : louder) v *= 1.122f;
    plant(3, louder, 22050, wav);
    const auto twice = plant(4, audio::read_all(file, 44100), 44100, wav);
    plant(5, audio::read_all(twice, 22050), 22050, wav);
  }
  const auto found = match_fingerprints(all.prints, pool);
  std::map<std::size_t, std::size_t> matched;  // what was planted, and from what
  for (const auto& m : found) {
    const auto a = std::size_t(m.a), b = std::size_t(m.b);
    const auto source = [&](std::size_t i) {
      return i < music.names.size() ? i : origin[i - music.names.size()].first;
    };
    EXPECT_EQ(source(a), source(b)) << all.names[a] << " and " << all.names[b];
    if (a >= music.names.size()) continue;
    matched[b] = a;
    auto& w = worst[all.names[b]];
    w = std::max(w, m.error_rate);
    EXPECT_NEAR(m.offset_seconds, all.names[b] == "minus 2 s" ? 2 : 0, 0.05);
  }
  // What is the same audio as a copy stands beside the first of them alone.
  EXPECT_EQ(matched.size(), origin.size());
  for (const auto& [kind, rate] : worst)
    std::printf("%-18s all found, worst error rate %.3f\n", kind.c_str(), rate);
}

TEST(GuardOnGtzan, FindsExcerptsOfTwoSeconds) {
  if (!fs::exists(shared / "gtzan_mini") || !fs::exists(shared / "gtzan_excerpts"))
    GTEST_SKIP() << "no music at " << shared;
  Fingerprinter make;
  Music music;
  music.add_tree(shared / "gtzan_mini", make);
  const auto clips = music.names.size();
  music.add_tree(shared / "gtzan_excerpts", make);
  ThreadPool pool(2);
  std::size_t pieces = 0, others = 0;
  double worst = 0;
  for (const auto& m : match_fingerprints(music.prints, pool)) {
    const auto a = std::size_t(m.a), b = std::size_t(m.b);
    const bool same_name = a < clips && b >= clips && music.names[a] == music.names[b];
    same_name ? ++pieces : ++others;
    worst = std::max(worst, m.error_rate);
  }
  EXPECT_EQ(others, 0u);  // of all pairs of 599 clips
  EXPECT_GE(pieces, 50u);
  // The price of so short a match: how near the nearest pair without a name in common comes.
  double nearest = 1, repeats = 1;
  for (std::size_t a = 0; a < clips; ++a)
    for (std::size_t b = clips; b < music.prints.size(); ++b) {
      const auto &x = music.prints[a].words, &y = music.prints[b].words;
      double best = 1;
      for (std::int64_t offset = 0; offset + std::ssize(y) <= std::ssize(x); ++offset) {
        bool accepted = false;
        best = std::min(best, error_rate_at(x, y, offset, accepted));
      }
      if (music.names[a] != music.names[b]) nearest = std::min(nearest, best);
      if (music.names[a] == music.names[b] && best > 0.2) repeats = std::min(repeats, best);
    }
  std::printf(
      "%zu excerpts found, worst error rate %.3f; accepted is 0.20; nearest of the same clip, not found: "
      "%.3f; nearest of another clip: %.3f\n",
      pieces, worst, repeats, nearest);
}

}  // namespace
}  // namespace timbre::data
