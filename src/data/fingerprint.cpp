#include "data/fingerprint.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "audio/decode.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/simd.hpp"
#include "data/low_rate.hpp"
#include "features/stft.hpp"

namespace timbre::data {

namespace {

constexpr int bands = 33;
constexpr double lowest = 300, highest = 2000;  // Hz
constexpr std::int64_t frames_at_once = 64;
constexpr std::int64_t stretch = (frames_at_once - 1) * fingerprint_hop + fingerprint_frame;
constexpr std::size_t block = 1 << 15;  // samples decoded at a time
constexpr int silent = 16;              // of 32768

void to_whole_numbers(const float* x, std::size_t n, std::int16_t* out) {
  vectorised([&] {
    for (std::size_t i = 0; i < n; ++i) {
      const float v = std::min(32767.0f, std::max(-32768.0f, x[i] * 32768.0f));
      out[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(v + (v < 0 ? -0.5f : 0.5f)));
    }
  });
}

features::FeatureOptions transform() {
  features::FeatureOptions o;
  o.n_fft = fingerprint_frame, o.hop_length = fingerprint_hop;
  o.center = false, o.power = 2;
  return o;
}

/// Hash of the samples from the first to the last that is not silent.
class Sound {
 public:
  void add(const float* x, std::size_t n) {
    whole_.resize(n);
    to_whole_numbers(x, n, whole_.data());
    std::size_t first = 0, last = n;
    const auto loud = [&](std::int16_t v) { return v > silent || v < -silent; };
    if (!begun_) {
      while (first < n && !loud(whole_[first])) ++first;
      skipped_ += std::int64_t(first);
      if (first == n) return;
      begun_ = true;
    }
    while (last > first && !loud(whole_[last - 1])) --last;
    // Silence counts once something follows it: until then its end is not the sound's.
    hasher_.bytes(whole_.data() + first, (last - first) * sizeof(std::int16_t));
    if (last > first) until_last_loud_.copy_from(hasher_);
    hasher_.bytes(whole_.data() + last, (n - last) * sizeof(std::int16_t));
  }
  std::string hex(int rate) { return begun_ ? until_last_loud_.text(std::to_string(rate)).hex() : ""; }
  std::int64_t skipped() const { return begun_ ? skipped_ : 0; }

 private:
  Hasher hasher_, until_last_loud_;
  std::vector<std::int16_t> whole_;
  std::int64_t skipped_ = 0;
  bool begun_ = false;
};

}  // namespace

struct Fingerprinter::State {
  features::Stft stft{transform(), stretch};
  std::array<std::int64_t, bands + 1> edge{};
  LowRate resampler;
  std::vector<float> samples = std::vector<float>(block), low;         // low: not yet transformed
  std::array<std::array<float, bands - 1>, fingerprint_lag> before{};  // differences of the last frames
  std::int64_t frame = 0;

  State() {
    for (int m = 0; m <= bands; ++m)
      edge[std::size_t(m)] =
          std::lround(lowest * std::pow(highest / lowest, double(m) / bands) * fingerprint_frame / low_rate);
  }

  void begin(int rate) {
    resampler.begin(rate);
    low.clear(), frame = 0;
  }

  /// The words of what is held; `last`: nothing follows.
  void transform_held(bool last, std::vector<std::uint32_t>& words) {
    std::size_t used = 0;
    while (low.size() - used >= std::size_t(last ? fingerprint_frame : stretch)) {
      const auto there = std::min(low.size() - used, std::size_t(stretch));
      const auto frames = std::int64_t(there - fingerprint_frame) / fingerprint_hop + 1;
      low.resize(std::max(low.size(), used + std::size_t(stretch)), 0.0f);
      for (std::int64_t t = 0; t < frames; t += stft.block_frames()) {
        const float* row = stft.rows(low.data() + used, t, std::min(stft.block_frames(), frames_at_once - t));
        for (auto n = std::min(stft.block_frames(), frames - t); n > 0; --n, row += stft.row_stride())
          add_frame(row, words);
      }
      used += std::size_t(frames * fingerprint_hop);
      if (there < std::size_t(stretch)) break;
    }
    low.erase(low.begin(), low.begin() + std::ptrdiff_t(std::min(used, low.size())));
  }

  void add_frame(const float* row, std::vector<std::uint32_t>& words) {
    std::array<float, bands> energy;
    for (int m = 0; m < bands; ++m) {
      float sum = 0;
      for (auto k = edge[std::size_t(m)]; k < edge[std::size_t(m) + 1]; ++k) sum += row[k];
      energy[std::size_t(m)] = sum;
    }
    auto& old = before[std::size_t(frame % fingerprint_lag)];
    std::uint32_t word = 0;
    for (std::size_t m = 0; m + 1 < bands; ++m) {
      const float d = energy[m] - energy[m + 1];
      word |= std::uint32_t(d - old[m] > 0) << m;
      old[m] = d;
    }
    if (frame++ >= fingerprint_lag) words.push_back(word);
  }

  /// Empty: the end.
  void add(std::span<const float> x, std::vector<std::uint32_t>& words) {
    resampler.add(x, low);
    transform_held(x.empty(), words);
  }
};

Fingerprinter::Fingerprinter() : state_(std::make_unique<State>()) {}
Fingerprinter::~Fingerprinter() = default;
Fingerprinter::Fingerprinter(Fingerprinter&&) noexcept = default;

Fingerprint Fingerprinter::of(const std::filesystem::path& file) {
  auto& s = *state_;
  Fingerprint out;
  try {
    audio::AudioReader reader(file, audio::own_sample_rate);
    Sound sound;
    out.sample_rate = reader.file_sample_rate();
    s.begin(out.sample_rate);
    for (std::size_t n; (n = reader.read(s.samples)) > 0;) {
      out.frames += std::int64_t(n);
      sound.add(s.samples.data(), n);
      s.add(std::span(s.samples).first(n), out.words);
    }
    s.add({}, out.words);
    out.silence = sound.skipped();
    out.audio = sound.hex(out.sample_rate);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& e) {
    out = {};
    out.reason = e.what();
  }
  return out;
}

namespace {

constexpr std::string_view magic = "timbre-fingerprint";

std::string head(std::string_view body, std::string_view file_hash) {
  Hasher hasher;
  hasher.text(file_hash).bytes(body.data(), body.size());
  return fmt::format("{} {} {}\n", magic, fingerprint_version, hasher.hex());
}

template <class T>
void put(std::string& to, const T* values, std::size_t n) {
  to.append(reinterpret_cast<const char*>(values), n * sizeof(T));
}

/// Takes values off the front of what is left.
class Cursor {
 public:
  explicit Cursor(std::string_view left) : left_(left) {}
  template <class T>
  bool get(T* values, std::size_t n) {
    if (left_.size() / sizeof(T) < n) return false;
    if (n > 0) std::memcpy(values, left_.data(), n * sizeof(T));
    left_.remove_prefix(n * sizeof(T));
    return true;
  }
  bool text(std::string& out) {
    std::uint32_t n = 0;
    if (!get(&n, 1) || left_.size() < n) return false;
    out.assign(left_.substr(0, n));
    left_.remove_prefix(n);
    return true;
  }
  bool words(std::vector<std::uint32_t>& out) {
    std::uint32_t n = 0;
    if (!get(&n, 1) || left_.size() != n * sizeof(std::uint32_t)) return false;
    out.resize(n);
    return get(out.data(), n);
  }

 private:
  std::string_view left_;
};

void put_text(std::string& to, std::string_view text) {
  const auto n = static_cast<std::uint32_t>(text.size());
  put(to, &n, 1), to += text;
}

}  // namespace

std::string pack(const Fingerprint& f, std::string_view file_hash) {
  std::string body;
  const std::int64_t numbers[] = {f.frames, f.sample_rate, f.silence};
  put(body, numbers, 3);
  put_text(body, f.reason), put_text(body, f.audio);
  const auto n = static_cast<std::uint32_t>(f.words.size());
  put(body, &n, 1), put(body, f.words.data(), f.words.size());
  return head(body, file_hash) + body;
}

bool unpack(const std::string& bytes, std::string_view file_hash, Fingerprint& out) {
  const auto end = bytes.find('\n');
  if (end == bytes.npos) return false;
  const auto body = std::string_view(bytes).substr(end + 1);
  if (bytes.compare(0, end + 1, head(body, file_hash)) != 0) return false;
  Cursor in(body);
  std::int64_t numbers[3];
  if (!in.get(numbers, 3) || !in.text(out.reason) || !in.text(out.audio) || !in.words(out.words))
    return false;
  if (numbers[0] < 0 || numbers[1] < 1 || numbers[1] > std::numeric_limits<int>::max() || numbers[2] < 0)
    return false;
  out.frames = numbers[0], out.sample_rate = int(numbers[1]), out.silence = numbers[2];
  return true;
}

}  // namespace timbre::data
