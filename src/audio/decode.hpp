// Audio files as mono float32 at one sample rate, read as a stream.
//
// Formats: what libsndfile reads (WAV, AU, FLAC, Ogg Vorbis, MP3, ...). Channels are averaged; 16-bit samples
// become x / 32768, as librosa and soundfile read them. Where the file's rate differs from the requested one,
// libsoxr resamples (HQ, librosa's default); where it is equal, samples pass untouched.
// Memory does not grow with the length of the file.
//
// Errors are timbre::Error with a short reason, without the path, fit for a list of bad files: "no such file",
// "empty file", "not audio: ...", "corrupt: ...", "contains NaN or infinite samples".
// A truncated file is not an error: its samples are read up to the cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace timbre::audio {

/// Sample rates that can be asked for, and that a file may have, in Hz.
inline constexpr int lowest_sample_rate = 1000, highest_sample_rate = 768000;

/// Asks for samples as the file has them, whatever its rate.
inline constexpr int own_sample_rate = -1;

/// Reads one file from its beginning to its end; move-only.
class AudioReader {
 public:
  /// Opens the file. sample_rate: of what read() gives, in Hz; outside the limits it is a RequestError, unless it is
  /// own_sample_rate.
  AudioReader(const std::filesystem::path& path, int sample_rate);
  ~AudioReader();
  AudioReader(AudioReader&&) noexcept;
  AudioReader& operator=(AudioReader&&) noexcept;

  /// The next samples. Fills `out` whole, except at the end of the file; 0 means nothing is left.
  std::size_t read(std::span<float> out);

  /// As the file has them.
  int file_sample_rate() const;
  int file_channels() const;
  /// Length that the header promises, in frames at the file's rate; a truncated file holds fewer.
  std::int64_t file_frames() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The whole file in memory.
std::vector<float> read_all(const std::filesystem::path& path, int sample_rate);

/// Length that the header promises, in seconds; 0 where there is none, or the file cannot be read.
double seconds_of(const std::filesystem::path& path);

}  // namespace timbre::audio
