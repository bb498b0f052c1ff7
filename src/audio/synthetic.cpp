#include "audio/synthetic.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <span>

#include "audio/synthetic_voices.hpp"

namespace timbre::audio {

const config::Schema<SyntheticOptions>& schema(config::of<SyntheticOptions>) {
  using O = SyntheticOptions;
  static const auto s =
      config::Schema<O>("ten made-up genres, for a machine without music")
          .field("clips_per_genre", &O::clips_per_genre, "number of clips of each genre",
                 config::between(std::int64_t{1}, std::int64_t{100000}))
          .field("clip_seconds", &O::clip_seconds, "length of each clip", config::between(1.0, 600.0))
          .unit("s")
          .field("seed", &O::seed, "the random numbers that make the music, apart from the run's seed",
                 config::at_least(std::int64_t{0}))
          .field("difficulty", &O::difficulty, "how much the genres overlap: 0 is easy",
                 config::between(0.0, 1.0))
          .field("artists_per_genre", &O::artists_per_genre,
                 "artists of each genre; clips of one share tone, equaliser and hiss. 0: none",
                 config::between(std::int64_t{0}, std::int64_t{100000}))
          .field("start", &O::start, "where in the bar a clip begins",
                 config::choice_of({{"bar", "at its first beat"}, {"anywhere", "at any moment"}}));
  return s;
}

namespace {

using namespace voices;

enum Instrument { pad, notes, sweep, bass, kick, snare, hat, instruments };

/// Shared by both genres of a pair: levels in dB (silent: the instrument only comes as a guest), tempo, key.
constexpr double silent = -100;
struct Family {
  double level[instruments];
  double tempo_low, tempo_high;
  double tilt_low, tilt_high;  // of the harmonics: low is bright
  double minor;                // share of clips in minor
  int division;                // of a beat, in notes
};
//                          pad     notes   sweep   bass   kick    snare   hat
constexpr Family families[] = {
    /* filters */ {{silent, -14, 0, -9, -4, silent, -18}, 95, 140, 0.9, 1.4, 0.6, 2},
    /* beats   */ {{-16, 0, silent, -6, 0, silent, -8}, 90, 130, 1.1, 1.8, 0.3, 1},
    /* notes   */ {{-20, 0, silent, -16, silent, silent, -22}, 80, 120, 1.2, 2.0, 0.4, 1},
    /* pads    */ {{0, -18, silent, -14, silent, silent, -26}, 60, 100, 1.2, 2.2, 0.5, 1},
    /* drums   */ {{-18, -8, silent, -6, 2, 0, -3}, 70, 105, 1.2, 1.9, 0.5, 2},
};

struct Genre {
  const char* name;
  int family;
  bool second;  // of its pair: opening filter, off the beat, swelling notes, fast beating, in threes
};
constexpr Genre genres[] = {
    {"synthetic_faller", 0, false}, {"synthetic_march", 1, false}, {"synthetic_pluck", 2, false},
    {"synthetic_pulse", 3, false},  {"synthetic_riser", 0, true},  {"synthetic_shimmer", 3, true},
    {"synthetic_shuffle", 4, true}, {"synthetic_skank", 1, true},  {"synthetic_straight", 4, false},
    {"synthetic_swell", 2, true},
};

constexpr double rate = synthetic_sample_rate;

double from_db(double db) { return std::pow(10.0, db / 20); }

/// Shared by the clips of an artist, within the bounds of any clip.
struct Artist {
  double tilt, even;           // of the tone: where between its limits, 0 to 1; its even harmonics
  double hiss, shelf, corner;  // where between their limits, 0 to 1
  explicit Artist(PhiloxSequence random)
      : tilt(random.uniform()),
        even(random.uniform(0.1, 1.0)),
        hiss(random.uniform()),
        shelf(random.uniform()),
        corner(random.uniform()) {}
};

double between(double low, double high, double share) { return low + (high - low) * share; }

/// Composes and plays one clip.
class Composer {
 public:
  Composer(const SyntheticOptions& options, const Genre& genre, PhiloxSequence& random, std::span<float> out,
           const std::optional<Artist>& artist)
      : difficulty_(options.difficulty),
        artist_(artist),
        genre_(genre),
        family_(families[genre.family]),
        random_(random),
        out_(out) {}

  void play() {
    choose();
    const Noise noise(random_);
    // An artist's values replace draws, which are made all the same: the music stays what it is.
    double tilt = random_.uniform(family_.tilt_low, family_.tilt_high);
    double even = random_.uniform(0.1, 1.0);
    if (artist_) tilt = between(family_.tilt_low, family_.tilt_high, artist_->tilt), even = artist_->even;
    const Tone tone(tilt, even);
    play_pads(tone);
    play_notes(tone);
    play_sweeps();
    play_bass();
    play_drums(noise);
    mix(noise);
  }

  /// Samples of a bar, once it was played.
  std::int64_t bar() const { return samples(4); }

 private:
  bool chance(double p) { return random_.uniform() < p; }
  std::int64_t samples(double beats) const { return std::llround(beats * 60 / tempo_ * rate); }
  double beats() const { return double(out_.size()) / rate * tempo_ / 60; }

  /// Hertz of a degree of the scale; `octave` 0 is that of middle C.
  double hertz(int degree, int octave) const {
    static constexpr int major[] = {0, 2, 4, 5, 7, 9, 11}, minor[] = {0, 2, 3, 5, 7, 8, 10};
    const int step = (degree % 7 + 7) % 7, up = (degree - step) / 7;
    const int semitone = (minor_ ? minor : major)[step] + 12 * (up + octave) + key_;
    return 261.6256 * std::pow(2.0, semitone / 12.0);
  }
  int root(std::int64_t bar) const { return progression_[std::size_t(bar % 4)]; }

  void choose() {
    tempo_ = random_.uniform(family_.tempo_low, family_.tempo_high);
    key_ = int(random_.below(12)) - 6;
    minor_ = chance(family_.minor);
    static constexpr int progressions[][4] = {
        {0, 3, 4, 0}, {0, 5, 3, 4}, {0, 4, 5, 3}, {0, 0, 3, 4}, {0, 6, 5, 4}};
    const auto& p = progressions[random_.below(5)];
    std::copy(std::begin(p), std::end(p), progression_);
    division_ = genre_.family == 4 && genre_.second ? 3 : family_.division;
    for (int i = 0; i < instruments; ++i) {
      const double own = family_.level[i] + random_.uniform(-4, 4);
      // A guest is heard behind the band, louder as genres get harder to tell.
      const double guest =
          chance(0.3 + 0.3 * difficulty_) ? random_.uniform(-30, -14 + 14 * difficulty_) : silent;
      is_guest_[i] = guest > own;
      const double db = std::max(own, guest);
      gain_[i] = db < -60 ? 0 : from_db(db);
    }
  }

  /// Which of the two ways an instrument plays: the genre's own, or by chance where it is a guest.
  bool second(Instrument i) { return is_guest_[i] ? chance(0.5) : genre_.second; }

  void play_pads(const Tone& tone) {
    if (gain_[pad] == 0) return;
    const bool own = genre_.family == 3;
    const bool fast = own ? genre_.second : chance(0.5);
    Pad held{.gain = gain_[pad] / 1.7, .phase = random_.uniform()};
    held.rate = (fast ? 3.4 : 0.8) * std::exp((0.15 + 0.3 * difficulty_) * random_.normal());
    held.depth = own ? random_.uniform(0.9, 1.0) : random_.uniform(0.0, 0.7);
    const auto bar = samples(4);
    for (std::int64_t b = 0; b * bar < std::int64_t(out_.size()); ++b) {
      held.start = b * bar, held.length = bar;
      held.hertz = {hertz(root(b), -1), hertz(root(b) + 2, -1), hertz(root(b) + 4, -1)};
      add_pad(out_, tone, held);
    }
  }

  void play_notes(const Tone& tone) {
    if (gain_[notes] == 0) return;
    const bool rhythmic = genre_.family == 1 || genre_.family == 4;
    const bool grows = genre_.family == 2 ? genre_.second : rhythmic ? false : chance(0.5);
    const bool chords = genre_.family == 1, off = chords && second(notes);
    const double gap = 1.0 / division_;
    const double falls = random_.uniform(3.5, 6.0) - 1.5 * difficulty_;
    const double leave_out = random_.uniform(0.0, 0.25);
    int step = 0;
    for (double beat = off ? 0.5 : 0.0; beat < beats(); beat += gap, ++step) {
      if (chance(leave_out)) continue;
      const int chord = root(std::int64_t(beat / 4));
      Note n{.start = samples(beat),
             .length = samples(chords ? 0.4 : gap),
             .gain = 1.6 * gain_[notes],
             .falls = falls};
      n.envelope = grows ? Envelope::swell : Envelope::decay;
      n.gain *= random_.uniform(0.7, 1.0);
      if (chords) {
        n.gain /= 1.7;
        for (int d = 0; d < 6; d += 2) n.hertz = hertz(chord + d, 0), add_note(out_, tone, n, 0.0);
      } else {
        static constexpr int shape[] = {0, 2, 4, 7, 4, 2};
        n.hertz = hertz(chord + (chance(0.7) ? shape[step % 6] : int(random_.below(8))), 0);
        add_note(out_, tone, n, 0.0);
      }
    }
  }

  void play_sweeps() {
    if (gain_[sweep] == 0) return;
    const Tone buzz(random_.uniform(0.7, 1.1), 1.0);
    const bool opens = genre_.family == 0 ? genre_.second : chance(0.5);
    static constexpr double lengths[] = {1, 1, 2};
    Sweep s{.period = samples(lengths[random_.below(3)]), .gain = 1.2 * gain_[sweep]};
    s.from = random_.uniform(120, 250), s.to = random_.uniform(1500, 3300),
    s.resonance = random_.uniform(0.2, 0.7);
    if (!opens) std::swap(s.from, s.to);
    for (int b = 0; b < 4; ++b) s.hertz.push_back(hertz(root(b), -2));
    add_sweeps(out_, buzz, s);
  }

  void play_bass() {
    if (gain_[bass] == 0) return;
    const Tone tone(random_.uniform(1.6, 2.4), 0.6);
    const double gap = chance(0.5) ? 1 : 2;
    for (double beat = 0; beat < beats(); beat += gap) {
      const int note = root(std::int64_t(beat / 4)) + (chance(0.2) ? 4 : 0);
      add_note(out_, tone, {samples(beat), samples(gap * 0.9), hertz(note, -3), 1.3 * gain_[bass], 2.0}, 0.0);
    }
  }

  void play_drums(const Noise& noise) {
    const int family = genre_.family;
    const bool off = family == 1 && second(hat);
    const double low = random_.uniform(42, 60), tone = random_.uniform(160, 220);
    const double kick_time = random_.uniform(0.2, 0.4), snare_time = random_.uniform(0.12, 0.25),
                 hat_time = random_.uniform(0.04, 0.10), fill = random_.uniform(0.0, 0.2);
    for (double beat = 0; beat < beats(); beat += 1) {
      const int in_bar = int(beat) % 4;
      const auto hit = [&](double at, Instrument i, double seconds) {
        return Hit{samples(at), 2.5 * gain_[i] * random_.uniform(0.75, 1.0), seconds, random_.next()};
      };
      const bool every = family != 4;
      if (gain_[kick] > 0 && (every || in_bar % 2 == 0 || chance(fill)))
        add_kick(out_, hit(beat, kick, kick_time), low);
      if (gain_[snare] > 0 && (in_bar % 2 == 1 || chance(fill)))
        add_snare(out_, noise, hit(beat, snare, snare_time), tone);
      if (gain_[hat] == 0) continue;
      if (family == 1) {
        add_hat(out_, noise, hit(beat + (off ? 0.5 : 0.0), hat, hat_time));
      } else {
        // Shorter where they are more, so that as much of the time is filled.
        const int parts = family == 4 ? division_ : 2;
        for (int i = 0; i < parts; ++i)
          add_hat(out_, noise, hit(beat + double(i) / parts, hat, hat_time * 2 / parts));
      }
    }
  }

  /// Equaliser, hiss and level: they say nothing about the genre.
  void mix(const Noise& noise) {
    double power = 0;
    for (const float v : out_) power += double(v) * v;
    const double rms = std::sqrt(power / double(out_.size())) + 1e-9;
    double hiss_db = random_.uniform(-55, -35 + 10 * difficulty_), tip = random_.uniform(-1, 1),
           hertz = random_.uniform(600, 2000);
    if (artist_) {
      hiss_db = between(-55, -35 + 10 * difficulty_, artist_->hiss);
      tip = between(-1, 1, artist_->shelf), hertz = between(600, 2000, artist_->corner);
    }
    const float hiss = float(rms * from_db(hiss_db));
    const float shelf = float(from_db((4 + 4 * difficulty_) * tip) - 1);  // above about 1 kHz
    const float corner = float(1 - std::exp(-2 * std::numbers::pi * hertz / rate));
    const auto place = random_.next();
    float low = 0, peak = 0;
    for (std::size_t i = 0; i < out_.size(); ++i) {
      const float v = out_[i] + hiss * noise[place + i];
      low += corner * (v - low);
      out_[i] = v + shelf * (v - low);
      peak = std::max(peak, std::abs(out_[i]));
    }
    const double wanted = from_db(random_.uniform(-26, -14)) / rms;
    const float gain = float(std::min(wanted, 0.98 / (double(peak) + 1e-9)));
    for (float& v : out_) v *= gain;
  }

  const double difficulty_;
  const std::optional<Artist>& artist_;
  const Genre& genre_;
  const Family& family_;
  PhiloxSequence& random_;
  std::span<float> out_;
  double tempo_ = 120, gain_[instruments] = {};
  bool is_guest_[instruments] = {}, minor_ = false;
  int division_ = 2;  // of a beat, in notes and cymbals
  int key_ = 0, progression_[4] = {};
};

}  // namespace

const std::vector<std::string>& synthetic_genres() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& g : genres) out.emplace_back(g.name);
    return out;
  }();
  return names;
}

config::Node synthetic_identity(const SyntheticOptions& options) {
  auto node = schema(config::of<SyntheticOptions>{}).dump(options);
  if (options.artists_per_genre == 0) node.erase("artists_per_genre");
  if (options.start == "bar") node.erase("start");
  return node;
}

std::string synthetic_artist(const SyntheticOptions& options, int genre, int clip) {
  if (options.artists_per_genre == 0) return "";
  return fmt::format("{} artist {}", synthetic_genres()[std::size_t(genre)],
                     clip % options.artists_per_genre);
}

std::vector<float> synthesize(const SyntheticOptions& options, int genre, int clip) {
  if (genre < 0 || genre >= int(std::size(genres)))
    fail_request("synthetic genre {} is not one of 0 to 9", genre);
  if (clip < 0 || clip >= options.clips_per_genre)
    fail_request("synthetic clip {} is not one of 0 to {}", clip, options.clips_per_genre - 1);
  const auto length = static_cast<std::size_t>(std::llround(options.clip_seconds * rate));
  const auto seed = static_cast<std::uint64_t>(options.seed);
  const auto step = [&](int number) {
    return static_cast<std::uint32_t>(genre) << 24 | static_cast<std::uint32_t>(number);
  };
  const bool anywhere = options.start == "anywhere";
  // A bar at the slowest tempo is 4 s: so much more is played, and cut off.
  std::vector<float> out(length + (anywhere ? std::size_t(4 * rate) : 0));
  std::optional<Artist> artist;
  if (options.artists_per_genre > 0)
    artist.emplace(PhiloxSequence(seed, stream::artist, step(int(clip % options.artists_per_genre))));
  PhiloxSequence random(seed, stream::synthetic, step(clip));
  Composer composer(options, genres[genre], random, out, artist);
  composer.play();
  if (anywhere) {
    const auto first =
        std::int64_t(PhiloxSequence(seed, stream::start, step(clip)).uniform() * double(composer.bar()));
    out.erase(out.begin(), out.begin() + first);
    out.resize(length);
  }
  return out;
}

}  // namespace timbre::audio
