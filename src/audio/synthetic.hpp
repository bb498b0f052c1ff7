// Ten made-up genres, so that everything runs and can be judged where there is no music.
//
// Every clip is a small piece: a tempo, a key and a progression of chords, played by pads, plucked notes,
// filtered sweeps, a bass and drums, then mixed, equalised, set to a level and laid over noise. Genres come
// in five pairs. Both of a pair share instruments, tempo, harmony and long-term spectrum and differ in what
// happens in time:
//
//   pulse, shimmer     pads whose level beats slowly | fast
//   pluck, swell       notes that decay | that grow and stop (the same envelope, run backwards)
//   faller, riser      a filter that closes | opens, again and again
//   march, skank       chords and cymbals on the beat | between the beats
//   straight, shuffle  beats in two | in three parts
//
// so a classifier that only sees averages over time can tell the pairs, but not the two within one.
//
// Where there are artists, clips of one share its tone, its equaliser and its hiss, which say nothing about the genre:
// a classifier that has heard the artist knows them. Where clips start anywhere, they begin at any moment of a bar.
//
// The samples of a clip depend on (seed, genre, clip) and the options alone, through Philox
// (stream::synthetic): the same bytes on one machine in whatever order and on however many threads clips are
// made. Mono, 22,050 Hz, within [-1, 1].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/schema.hpp"

namespace timbre::audio {

inline constexpr int synthetic_sample_rate = 22050;

struct SyntheticOptions {
  std::int64_t clips_per_genre = 50;
  double clip_seconds = 9;
  std::int64_t seed = 0;
  double difficulty = 0.2;
  std::int64_t artists_per_genre = 0;  // 0: no artists; clips are dealt to them in turn
  std::string start = "bar";           // bar | anywhere
};
const config::Schema<SyntheticOptions>& schema(config::of<SyntheticOptions>);

/// The ten genres, sorted by bytes; each name says that it is synthetic.
const std::vector<std::string>& synthetic_genres();

/// The options as what is made depends on them: keys that came later are left out where they change nothing, so that
/// what was made before keeps its name.
config::Node synthetic_identity(const SyntheticOptions& options);

/// The artist of a clip, "synthetic_faller artist 3"; "" where there are none.
std::string synthetic_artist(const SyntheticOptions& options, int genre, int clip);

/// Clip `clip` of genre `genre` (an index into synthetic_genres()): llround(22050 clip_seconds) samples.
/// Throws RequestError where genre or clip is out of range.
std::vector<float> synthesize(const SyntheticOptions& options, int genre, int clip);

}  // namespace timbre::audio
