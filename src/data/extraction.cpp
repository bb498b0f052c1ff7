#include "data/extraction.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"

namespace timbre::data {

namespace {

/// The reason why a clip cannot be used. (A failing disk, where the rows go, is another error.)
struct BadClip {
  std::string reason;
};

/// Calls what reads a clip; its errors speak of the clip.
template <class F>
auto reading(F&& f) {
  try {
    return f();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& e) {
    throw BadClip{e.what()};
  }
}

/// Segments in one batch: at most a few megabytes.
std::int64_t batch_segments(const features::FeatureEngine& engine, std::int64_t segment_samples) {
  constexpr std::int64_t budget = std::int64_t{1} << 20;  // floats
  return std::clamp(budget / std::max(segment_samples, engine.shape().size()), std::int64_t{1},
                    engine.segments_at_once());
}

/// Cuts what a source gives into segments, and consumes their rows in batches.
class Segmenter {
 public:
  using Read = std::function<std::size_t(std::span<float>)>;  // fills its argument whole, except at the end
  using Consume = std::function<void(std::span<const float> rows, std::int64_t first)>;

  using Change = std::function<void(std::span<float> samples, std::int64_t segment)>;

  Segmenter(features::FeatureEngine& engine, const Cutting& cutting, SegmentBuffers& buffers,
            const Consume& consume, const Change& change = {})
      : engine_(engine),
        cutting_(cutting),
        buffers_(buffers),
        consume_(consume),
        change_(change),
        // (One by one where gaps lie between them: the gaps are passed over.)
        batch_(cutting.whole || cutting.hop > cutting.samples ? 1 : batch_segments(engine, cutting.samples)) {
    // Room for a batch of segments; `held_` samples at its beginning wait for those that follow.
    buffers_.samples.resize(std::size_t((batch_ - 1) * cutting.hop + cutting.samples));
  }

  /// Returns (segments, samples).
  std::pair<std::int64_t, std::int64_t> run(const Read& read) {
    for (bool more = true; more;) {
      const auto room = std::span(buffers_.samples).subspan(std::size_t(held_));
      const auto got = static_cast<std::int64_t>(read(room));
      more = got == std::ssize(room);
      total_ += got;
      hold(got);
      take_whole_ones();
    }
    take_last();
    return {segments_, total_};
  }

 private:
  /// `count` samples were read behind the held ones; some of them may lie in a gap.
  void hold(std::int64_t count) {
    const auto passed = std::min(gap_, count);
    gap_ -= passed, held_ += count - passed;
    if (passed == 0) return;
    auto& samples = buffers_.samples;  // (nothing was held)
    std::copy(samples.begin() + passed, samples.begin() + count, samples.begin());
  }

  void take_whole_ones() {
    if (cutting_.whole && segments_ > 0) {
      held_ = 0;  // the rest is only counted
      return;
    }
    if (held_ < cutting_.samples) return;
    const auto count = cutting_.whole ? 1 : 1 + (held_ - cutting_.samples) / cutting_.hop;
    compute(count);
    drop(count * cutting_.hop);
  }

  /// Of the held samples, the first `count` segments.
  void compute(std::int64_t count) {
    const auto& samples = buffers_.samples;
    const float* from = samples.data();
    // The engine takes them one behind the other; and segments that overlap change each by itself.
    if (change_ || (count > 1 && cutting_.hop != cutting_.samples)) {
      auto& gathered = buffers_.gathered;
      gathered.resize(static_cast<std::size_t>(count * cutting_.samples));
      for (std::int64_t i = 0; i < count; ++i)
        std::copy_n(samples.begin() + cutting_.start(i), cutting_.samples,
                    gathered.begin() + i * cutting_.samples);
      for (std::int64_t i = 0; change_ && i < count; ++i)
        change_(std::span(gathered).subspan(std::size_t(i * cutting_.samples), std::size_t(cutting_.samples)),
                segments_ + i);
      from = gathered.data();
    }
    auto& rows = buffers_.rows;
    rows.resize(static_cast<std::size_t>(count * engine_.shape().size()));
    engine_.compute(from, count, rows.data());
    consume_(rows, segments_);
    segments_ += count;
  }

  /// What the next segment has no use for.
  void drop(std::int64_t count) {
    auto& samples = buffers_.samples;
    const auto here = std::min(count, held_);
    std::copy(samples.begin() + here, samples.begin() + held_, samples.begin());
    held_ -= here, gap_ = count - here;
  }

  /// The last one, if it is to be padded.
  void take_last() {
    if (cutting_.cut(total_).count <= segments_) return;
    auto& samples = buffers_.samples;
    cutting_.fill(std::span(samples).first(std::size_t(cutting_.samples)), held_);
    compute(1);
  }

  features::FeatureEngine& engine_;
  const Cutting& cutting_;
  SegmentBuffers& buffers_;
  const Consume& consume_;
  const Change change_;
  const std::int64_t batch_;
  std::int64_t held_ = 0, gap_ = 0, segments_ = 0, total_ = 0;  // gap_: samples to be passed over
};

/// What names the content of a clip.
std::string identity_of(const Clip& clip, const std::vector<std::string>& hashes, std::size_t i) {
  return i < hashes.size() && !hashes[i].empty() ? hashes[i] : clip.path;
}

/// Of a segment's changes.
std::uint64_t seed_of(const std::string& identity, std::int64_t segment) {
  const auto hex = Hasher().text("timbre-waveform 1").text(identity).text(std::to_string(segment)).hex();
  return std::stoull(hex.substr(0, 16), nullptr, 16);
}

}  // namespace

std::string too_short(std::int64_t samples, std::int64_t segment_samples, double segment_seconds,
                      int sample_rate) {
  return fmt::format("shorter than one segment of {} s ({} samples): {:.3g} s", number_text(segment_seconds),
                     segment_samples, double(samples) / sample_rate);
}

void require_synthetic_rate(const ClipIndex& index, const features::FeatureOptions& options) {
  if (index.synthetic && options.sample_rate != audio::synthetic_sample_rate)
    fail_at("dataset.synthetic", "clips are made at {} Hz; features.sample_rate must be {}, not {}",
            audio::synthetic_sample_rate, audio::synthetic_sample_rate, options.sample_rate);
}

void require_good_clips(const FeatureTable& table, const DatasetOptions& dataset) {
  if (dataset.on_bad_file == "error" && !table.bad_files.empty())
    fail("{}: {}", printable(table.bad_files.front().path), printable(table.bad_files.front().reason));
  std::vector<bool> has(table.label_names.size(), false);
  for (const auto& clip : table.clips) has[std::size_t(clip.label)] = true;
  for (std::size_t c = 0; c < has.size(); ++c) {
    if (has[c]) continue;
    const auto& label = table.label_names[c];
    const auto bad = std::find_if(table.bad_files.begin(), table.bad_files.end(),
                                  [&](const BadFile& b) { return b.path.starts_with(label + "/"); });
    const auto& example = bad == table.bad_files.end() ? table.bad_files.front() : *bad;
    fail_at("dataset", "no clip of the class '{}' can be used, for example {}: {}", printable(label),
            printable(example.path), printable(example.reason));
  }
}

Extraction::Extraction(const ClipIndex& index, const DatasetOptions& dataset,
                       const features::FeatureOptions& options, const std::filesystem::path& folder,
                       ThreadPool& pool, const ExtractionHooks& hooks, bool stop_at_bad,
                       const WaveformCopy* copy)
    : clips_(index.clips.size()), workers_(static_cast<std::size_t>(pool.threads())) {
  const auto cutting = dataset.cutting(options.sample_rate);
  row_size_ = features::feature_shape(options, cutting.samples).size();
  const auto make_engine = features::open_features(hooks.device, options, cutting.samples);
  const auto total = std::ssize(index.clips);
  std::atomic<std::int64_t> first_bad{std::numeric_limits<std::int64_t>::max()};
  std::atomic<bool> stopped{false};
  std::mutex progress_lock;
  std::int64_t done = 0;

  const auto extract = [&](std::int64_t i, int thread) {
    const Clip& clip = index.clips[std::size_t(i)];
    auto& worker = workers_[std::size_t(thread)];
    if (!worker.engine) worker.engine = make_engine();
    if (!worker.spill) worker.spill = std::make_unique<SpillFile>(folder);
    auto& rows = clips_[std::size_t(i)];
    rows.thread = thread, rows.first = worker.spill->size();
    try {
      std::function<std::size_t(std::span<float>)> source;
      if (index.synthetic) {
        source = [made = audio::synthesize(*dataset.synthetic, clip.genre, clip.number),
                  used = std::size_t{0}](std::span<float> out) mutable {
          const auto n = std::min(out.size(), made.size() - used);
          std::copy_n(made.begin() + std::ptrdiff_t(used), n, out.begin());
          used += n;
          return n;
        };
      } else {
        auto reader = std::make_shared<audio::AudioReader>(
            reading([&] { return audio::AudioReader(clip.file, options.sample_rate); }));
        source = [reader](std::span<float> out) { return reading([&] { return reader->read(out); }); };
      }
      const Segmenter::Consume keep = [&](std::span<const float> values, std::int64_t) {
        if (hooks.check) hooks.check();
        worker.spill->append(values);
      };
      Segmenter::Change change;
      if (copy)
        change = [&, identity = identity_of(clip, copy->hashes, std::size_t(i))](std::span<float> segment,
                                                                                 std::int64_t number) {
          change_waveform(copy->options, seed_of(identity, number), copy->number, options.sample_rate,
                          segment);
        };
      const auto [segments, samples] =
          Segmenter(*worker.engine, cutting, worker.buffers, keep, change).run(source);
      if (segments == 0)
        throw BadClip{too_short(samples, cutting.samples, dataset.segment_seconds, options.sample_rate)};
      rows.count = segments;
    } catch (const BadClip& bad) {
      rows.reason = bad.reason;
      for (auto seen = first_bad.load(); i < seen && !first_bad.compare_exchange_weak(seen, i);) {
      }
    }
  };

  pool.parallel_for(total, [&](std::int64_t i, int thread) {
    // Clips are begun in order, so that those before the first bad one are still looked at.
    if (stopped || (stop_at_bad && i > first_bad)) return;
    try {
      if (hooks.check) hooks.check();
      extract(i, thread);
      const std::lock_guard lock(progress_lock);
      ++done;
      if (hooks.progress && !stopped) hooks.progress(done, total);
    } catch (...) {
      stopped = true;
      throw;
    }
  });
}

void Extraction::read(std::size_t clip, std::int64_t first, std::span<float> out) const {
  const auto& rows = clips_[clip];
  workers_[std::size_t(rows.thread)].spill->read(rows.first + first * row_size_, out);
}

std::int64_t extract_file(audio::AudioReader reader, features::FeatureEngine& engine, const Cutting& cutting,
                          SegmentBuffers& buffers,
                          const std::function<void(std::span<const float>, std::int64_t)>& consume,
                          std::int64_t* samples) {
  const auto [segments, total] = Segmenter(engine, cutting, buffers, consume).run([&](std::span<float> out) {
    return reader.read(out);
  });
  if (samples) *samples = total;
  return segments;
}

std::int64_t extract_samples(std::span<const float> samples, features::FeatureEngine& engine,
                             const Cutting& cutting, SegmentBuffers& buffers,
                             const std::function<void(std::span<const float>, std::int64_t)>& consume) {
  const auto read = [&](std::span<float> out) {
    const auto n = std::min(out.size(), samples.size());
    std::copy_n(samples.begin(), n, out.begin());
    samples = samples.subspan(n);
    return n;
  };
  return Segmenter(engine, cutting, buffers, consume).run(read).first;
}

}  // namespace timbre::data
