#include "data/fingerprint_match.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>
#include <unordered_map>

#include "core/simd.hpp"

namespace timbre::data {

namespace {

/// Words whose sound, first frame to last, lasts so long.
constexpr std::int64_t words_of(double seconds) {
  return std::int64_t((seconds * low_rate - fingerprint_frame) / fingerprint_hop) - fingerprint_lag + 1;
}
constexpr std::int64_t long_words = words_of(long_match_seconds), short_words = words_of(short_match_seconds);
static_assert(short_words == 36);

constexpr std::int64_t near = 32;      // words about a hit that are looked at first
constexpr double near_errors = 0.40;   // more of them, and the hit is by chance
constexpr std::size_t most_hits = 64;  // entries of one word that are followed

/// Bits that differ. Nothing is heard in a word of zeros (digital silence): it agrees by chance.
__attribute__((always_inline)) inline int errors_of(std::uint32_t a, std::uint32_t b) {
  return a == 0 || b == 0 ? 16 : std::popcount(a ^ b);
}

std::int64_t count_errors(const std::uint32_t* a, const std::uint32_t* b, std::int64_t n) {
  return vectorised([&] {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += errors_of(a[i], b[i]);
    return sum;
  });
}

struct Overlap {
  std::int64_t a = 0, b = 0, n = 0;  // first words, and how many
};
Overlap overlap_of(std::int64_t a, std::int64_t b, std::int64_t offset) {
  Overlap o;
  o.a = std::max<std::int64_t>(0, offset), o.b = o.a - offset;
  o.n = std::min(a - o.a, b - o.b);
  return o;
}

/// All words of the clips that are no copies of an earlier one, by word; of one word by clip and place.
/// same[c]: the first clip with the audio of clip c. Copies would fill the few entries of a word that are looked at.
class Index {
 public:
  struct Entry {
    std::uint32_t word;
    std::int32_t clip, place;
  };

  Index(const std::vector<Fingerprint>& prints, const std::vector<std::int32_t>& same) {
    for (std::size_t c = 0; c < prints.size(); ++c) {
      if (same[c] != std::int32_t(c)) continue;
      const auto& words = prints[c].words;
      for (std::size_t i = 0; i < words.size(); ++i)
        // A held sound repeats its word: once is enough.
        if (words[i] != 0 && (i == 0 || words[i] != words[i - 1]))
          entries_.push_back({words[i], std::int32_t(c), std::int32_t(i)});
    }
    std::sort(entries_.begin(), entries_.end(), [](const Entry& x, const Entry& y) {
      return std::tie(x.word, x.clip, x.place) < std::tie(y.word, y.clip, y.place);
    });
    bits_ = std::bit_width(std::max<std::size_t>(entries_.size(), 64)) + 1;
    slots_.assign(std::size_t{1} << bits_, 0);
    filter_.assign((std::size_t{1} << (bits_ + 3)) / 64, 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto word = entries_[i].word;
      if (i > 0 && entries_[i - 1].word == word) continue;
      auto slot = hash(word) >> (64 - bits_);
      while (slots_[slot]) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = std::uint32_t(i + 1);
      const auto bit = hash(word) >> (64 - bits_ - 3);
      filter_[bit / 64] |= std::uint64_t{1} << bit % 64;
    }
  }

  /// Calls f(entry) for entries of `word` of clips before `clip`: the nearest of them, where there are many.
  template <class F>
  void visit(std::uint32_t word, std::int32_t clip, F&& f) const {
    const auto h = hash(word);
    const auto bit = h >> (64 - bits_ - 3);
    if (!(filter_[bit / 64] >> bit % 64 & 1)) return;
    for (auto slot = h >> (64 - bits_); slots_[slot]; slot = (slot + 1) & (slots_.size() - 1)) {
      const auto first = std::size_t(slots_[slot] - 1);
      if (entries_[first].word != word) continue;
      auto end = first;
      if (entries_[first].clip >= clip) return;
      // Most words have few entries.
      while (end < entries_.size() && end < first + 8 && entries_[end].word == word &&
             entries_[end].clip < clip)
        ++end;
      if (end == first + 8)
        end = std::size_t(std::partition_point(entries_.begin() + std::ptrdiff_t(first), entries_.end(),
                                               [&](const Entry& e) {
                                                 return e.word < word || (e.word == word && e.clip < clip);
                                               }) -
                          entries_.begin());
      for (auto i = end - std::min(end - first, most_hits); i < end; ++i) f(entries_[i]);
      return;
    }
  }

 private:
  static std::uint64_t hash(std::uint32_t word) { return (word + 1) * 0x9E3779B97F4A7C15u; }
  std::vector<Entry> entries_;
  int bits_ = 0;
  std::vector<std::uint32_t> slots_;  // first entry of a word, plus one
  std::vector<std::uint64_t> filter_;
};

/// Pairs of one clip with those before it.
void match_one(const std::vector<Fingerprint>& prints, const Index& index, std::int32_t b,
               std::vector<Match>& out) {
  const auto& words = prints[std::size_t(b)].words;
  std::vector<std::uint64_t> hits;  // clip and offset
  const auto look = [&](std::uint32_t word, std::int64_t place) {
    index.visit(word, b, [&](const Index::Entry& e) {
      const auto& other = prints[std::size_t(e.clip)].words;
      const auto offset = e.place - place;
      const auto o = overlap_of(std::ssize(other), std::ssize(words), offset);
      if (o.n < short_words) return;
      const auto from = std::clamp<std::int64_t>(e.place - near / 2, o.a, std::max(o.a, o.a + o.n - near));
      const auto n = std::min(near, o.a + o.n - from);
      const auto errors = count_errors(other.data() + from, words.data() + (from - offset), n);
      if (double(errors) > near_errors * 32 * double(n)) return;
      hits.push_back(std::uint64_t(e.clip) << 32 | std::uint32_t(std::int32_t(offset)));
    });
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == 0 || (i > 0 && words[i] == words[i - 1])) continue;
    look(words[i], std::int64_t(i));
    for (int bit = 0; bit < 32; ++bit) look(words[i] ^ (1u << bit), std::int64_t(i));
  }
  std::sort(hits.begin(), hits.end());
  hits.erase(std::unique(hits.begin(), hits.end()), hits.end());
  std::size_t i = 0;
  while (i < hits.size()) {
    const auto a = std::int32_t(hits[i] >> 32);
    Match best{a, b, false, 1, 0};
    bool found = false;
    for (; i < hits.size() && std::int32_t(hits[i] >> 32) == a; ++i) {
      const auto offset = std::int64_t(std::int32_t(std::uint32_t(hits[i])));
      bool accepted = false;
      const double rate = error_rate_at(prints[std::size_t(a)].words, words, offset, accepted);
      if (accepted && rate < best.error_rate)
        best.error_rate = rate, best.offset_seconds = double(offset) * word_seconds, found = true;
    }
    if (found) out.push_back(best);
  }
}

}  // namespace

double error_rate_at(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b,
                     std::int64_t offset, bool& accepted) {
  accepted = false;
  const auto o = overlap_of(std::ssize(a), std::ssize(b), offset);
  if (o.n < short_words) return 1;
  const auto *x = a.data() + o.a, *y = b.data() + o.b;
  const auto rate = [](std::int64_t errors, std::int64_t n) { return double(errors) / (32 * double(n)); };
  const double whole = rate(count_errors(x, y, o.n), o.n);
  accepted = whole <= (o.n >= long_words ? long_match_errors : short_match_errors);
  if (accepted || o.n <= long_words) return whole;
  auto errors = count_errors(x, y, long_words), least = errors;
  for (std::int64_t i = long_words; i < o.n; ++i) {
    errors += errors_of(x[i], y[i]) - errors_of(x[i - long_words], y[i - long_words]);
    least = std::min(least, errors);
  }
  accepted = rate(least, long_words) <= long_match_errors;
  return rate(least, long_words);
}

std::vector<Match> match_fingerprints(const std::vector<Fingerprint>& prints, ThreadPool& pool,
                                      const std::function<void()>& check) {
  std::vector<Match> out;
  std::unordered_map<std::string_view, std::int32_t> first;  // with this audio
  std::vector<std::int32_t> same(prints.size());
  for (std::size_t i = 0; i < prints.size(); ++i) {
    const auto clip = std::int32_t(i);
    same[i] = prints[i].audio.empty() ? clip : first.emplace(prints[i].audio, clip).first->second;
    if (same[i] == clip) continue;
    const auto& other = prints[std::size_t(same[i])];
    out.push_back({same[i], clip, true, 0,
                   double(other.silence - prints[i].silence) / std::max(1, prints[i].sample_rate)});
  }
  const Index index(prints, same);
  std::vector<std::vector<Match>> found(prints.size());
  pool.parallel_for(std::ssize(prints), [&](std::int64_t i, int) {
    if (check) check();
    if (same[std::size_t(i)] == std::int32_t(i))
      match_one(prints, index, std::int32_t(i), found[std::size_t(i)]);
  });
  for (const auto& some : found) out.insert(out.end(), some.begin(), some.end());
  std::sort(out.begin(), out.end(),
            [](const Match& x, const Match& y) { return std::tie(x.a, x.b) < std::tie(y.a, y.b); });
  return out;
}

}  // namespace timbre::data
