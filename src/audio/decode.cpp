#include "audio/decode.hpp"

#include <sndfile.h>
#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <system_error>

#include "audio/decoder_messages.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::audio {
namespace {

namespace fs = std::filesystem;

struct CloseFile {
  void operator()(SNDFILE* f) const { sf_close(f); }
};
struct DeleteResampler {
  void operator()(soxr* r) const { soxr_delete(r); }
};

/// libsndfile's words as part of one line: no line ends, no full stop.
std::string words(const char* text) {
  std::string s = text ? text : "";
  while (!s.empty() && (s.back() == '\n' || s.back() == '.' || s.back() == ' ')) s.pop_back();
  return printable(s);
}

/// Throws Error where a path cannot be an audio file, whatever its content.
void check_file(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) fail("no such file");
  if (error) fail("cannot be read: {}", error.message());
  if (status.type() == fs::file_type::directory) fail("a folder, not a file");
  // A pipe would block, and cannot be searched for its header.
  if (status.type() != fs::file_type::regular) fail("not a regular file");
  const auto size = fs::file_size(path, error);
  if (!error && size == 0) fail("empty file");
}

/// Samples beyond this are no sound, and their spectrum would overflow float32.
constexpr float loudest = 1e9f;

void check_samples(std::span<const float> samples) {
  int bad = 0;
  for (const float x : samples) bad |= !(std::fabs(x) <= loudest);  // true for NaN as well
  if (!bad) return;
  for (const float x : samples)
    if (!std::isfinite(x)) fail("contains NaN or infinite samples");
  fail("corrupt: contains samples beyond {:g}", loudest);
}

}  // namespace

struct AudioReader::State {
  std::string name;  // of the file
  std::unique_ptr<SNDFILE, CloseFile> file;
  SF_INFO info{};
  std::unique_ptr<soxr, DeleteResampler> resampler;  // null where rates are equal
  std::vector<float> interleaved;                    // [block, channels]
  std::vector<float> mono;                           // [block], waiting for the resampler from `used` on
  std::size_t used = 0;
  std::int64_t frames_read = 0;
  bool at_end = false;
  bool whole_numbers = false;  // 16-bit samples, unchanged

  /// Mono frames at the file's rate; fewer than asked for only at the end.
  std::size_t read_mono(std::span<float> out) {
    std::size_t done = 0;
    while (done < out.size() && !at_end) {
      const auto rest = out.subspan(done);
      const std::size_t channels = static_cast<std::size_t>(info.channels);
      std::size_t n = 0;
      if (channels == 1 && whole_numbers) {
        n = read_whole_numbers(rest);
      } else if (channels == 1) {
        n = got(sf_readf_float(file.get(), rest.data(), static_cast<sf_count_t>(rest.size())), rest.size());
      } else {
        const auto wanted = std::min(rest.size(), interleaved.size() / channels);
        n = got(sf_readf_float(file.get(), interleaved.data(), static_cast<sf_count_t>(wanted)), wanted);
        for (std::size_t i = 0; i < n; ++i) {
          float sum = 0;
          for (std::size_t c = 0; c < channels; ++c) sum += interleaved[i * channels + c];
          rest[i] = sum / static_cast<float>(channels);
        }
      }
      if (!whole_numbers) check_samples(rest.first(n));
      frames_read += static_cast<std::int64_t>(n);
      done += n;
      if (n == 0) finish();
    }
    return done;
  }

  /// As libsndfile's own conversion of 16-bit samples, x / 2^15, which takes several times as long.
  std::size_t read_whole_numbers(std::span<float> out) {
    std::int16_t block[4096];
    std::size_t done = 0;
    while (done < out.size()) {
      const auto wanted = std::min(out.size() - done, std::size(block));
      const auto n = got(sf_readf_short(file.get(), block, static_cast<sf_count_t>(wanted)), wanted);
      for (std::size_t i = 0; i < n; ++i) out[done + i] = static_cast<float>(block[i]) * (1.0f / 32768);
      done += n;
      if (n < wanted) break;
    }
    return done;
  }

  std::size_t got(sf_count_t n, std::size_t wanted) const {
    return n <= 0 ? 0 : std::min(static_cast<std::size_t>(n), wanted);
  }

  void finish() {
    at_end = true;
    if (frames_read > 0) return;
    if (sf_error(file.get()) != SF_ERR_NO_ERROR) fail("corrupt: {}", words(sf_strerror(file.get())));
    // A header that promises sound without any after it was cut off.
    if (info.frames > 0 && info.frames != SF_COUNT_MAX) fail("corrupt: no samples can be read");
    fail("empty file (no samples)");
  }

  std::size_t read_resampled(std::span<float> out) {
    std::size_t done = 0;
    while (done < out.size()) {
      if (used == mono.size() && !at_end) {
        mono.resize(mono.capacity());
        mono.resize(read_mono(mono));
        used = 0;
      }
      const bool draining = at_end && used == mono.size();
      std::size_t taken = 0, made = 0;
      const auto error =
          soxr_process(resampler.get(), draining ? nullptr : mono.data() + used, mono.size() - used, &taken,
                       out.data() + done, out.size() - done, &made);
      if (error) fail("cannot be resampled: {}", words(error));
      used += taken;
      done += made;
      if (draining && made == 0) break;
    }
    return done;
  }
};

AudioReader::AudioReader(const fs::path& path, int sample_rate) : state_(std::make_unique<State>()) {
  if (sample_rate != own_sample_rate &&
      (sample_rate < lowest_sample_rate || sample_rate > highest_sample_rate))
    fail_request("a sample rate must be between {} and {} Hz, not {}", lowest_sample_rate,
                 highest_sample_rate, sample_rate);
  check_file(path);
  auto& s = *state_;
  s.name = path.string();
  const Decoding decoding(s.name);
  s.file.reset(sf_open(path.c_str(), SFM_READ, &s.info));
  if (!s.file) {
    const int code = sf_error(nullptr);
    auto reason = words(sf_strerror(nullptr));
    // libsndfile's reason for a file named .mp3 without a frame in it. The file is there: check_file has seen it.
    if (reason.starts_with("File does not exist")) reason = "Format not recognised";
    if (code == SF_ERR_SYSTEM) fail("cannot be read: {}", reason);
    // Neither header nor encoding understood, as against a known header with nonsense in it.
    if (code == SF_ERR_MALFORMED_FILE) fail("corrupt: {}", reason);
    fail("not audio: {}", reason);
  }
  // Whatever is named .au and has no header libsndfile would play as 8-bit samples.
  if ((s.info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_RAW) fail("not audio: no header");
  if (s.info.channels < 1) fail("corrupt: no channels");
  if (s.info.samplerate < lowest_sample_rate || s.info.samplerate > highest_sample_rate)
    fail("corrupt: a sample rate of {} Hz", s.info.samplerate);

  s.whole_numbers = (s.info.format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_16;
  constexpr std::size_t block = 1 << 16;  // samples over all channels
  if (s.info.channels > 1) s.interleaved.resize(std::max(block, static_cast<std::size_t>(s.info.channels)));
  if (sample_rate == own_sample_rate || s.info.samplerate == sample_rate) return;
  soxr_error_t error = nullptr;
  const auto io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const auto quality = soxr_quality_spec(SOXR_HQ, 0);
  const auto threads = soxr_runtime_spec(1);
  s.resampler.reset(soxr_create(s.info.samplerate, sample_rate, 1, &error, &io, &quality, &threads));
  if (error || !s.resampler) fail("cannot be resampled: {}", words(error));
  s.mono.reserve(block / 4);
}

AudioReader::~AudioReader() = default;
AudioReader::AudioReader(AudioReader&&) noexcept = default;
AudioReader& AudioReader::operator=(AudioReader&&) noexcept = default;

std::size_t AudioReader::read(std::span<float> out) {
  const Decoding decoding(state_->name);
  return state_->resampler ? state_->read_resampled(out) : state_->read_mono(out);
}

int AudioReader::file_sample_rate() const { return state_->info.samplerate; }
int AudioReader::file_channels() const { return state_->info.channels; }
std::int64_t AudioReader::file_frames() const { return state_->info.frames; }

std::vector<float> read_all(const fs::path& path, int sample_rate) {
  AudioReader reader(path, sample_rate);
  std::vector<float> samples;
  std::size_t size = 0;
  for (std::size_t chunk = 1 << 16;; chunk = std::max(chunk, size / 2)) {
    samples.resize(size + chunk);
    const auto n = reader.read(std::span(samples).subspan(size));
    size += n;
    if (n < chunk) break;
  }
  samples.resize(size);
  return samples;
}

double seconds_of(const fs::path& path) {
  try {
    const AudioReader reader(path, own_sample_rate);
    const auto frames = reader.file_frames();
    return frames > 0 && frames != SF_COUNT_MAX ? double(frames) / reader.file_sample_rate() : 0;
  } catch (const Error&) {
    return 0;
  }
}

}  // namespace timbre::audio
