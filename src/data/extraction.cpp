#include "data/extraction.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::data {

namespace {

/// Why a clip cannot be used: told apart from failures of the disk that the rows go to.
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

/// Reads segments until the source ends and consumes their rows in batches; returns (segments, samples).
/// read(span) fills its argument whole except at the end, as AudioReader does.
/// `buffers` may be kept from clip to clip: fresh memory costs more than decoding.
std::pair<std::int64_t, std::int64_t> stream_segments(
    const std::function<std::size_t(std::span<float>)>& read, features::FeatureEngine& engine,
    std::int64_t segment_samples, SegmentBuffers& buffers,
    const std::function<void(std::span<const float>, std::int64_t)>& consume) {
  const auto row_size = engine.shape().size();
  const auto batch = batch_segments(engine, segment_samples);
  auto& [samples, rows] = buffers;
  samples.resize(static_cast<std::size_t>(batch * segment_samples));
  std::int64_t segments = 0, total = 0;
  for (;;) {
    const auto got = static_cast<std::int64_t>(read(samples));
    total += got;
    const auto whole = got / segment_samples;
    if (whole > 0) {
      rows.resize(static_cast<std::size_t>(whole * row_size));
      engine.compute(samples.data(), whole, rows.data());
      consume(rows, segments);
      segments += whole;
    }
    if (got < std::ssize(samples)) return {segments, total};
  }
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
                       ThreadPool& pool, const ExtractionHooks& hooks, bool stop_at_bad)
    : clips_(index.clips.size()), workers_(static_cast<std::size_t>(pool.threads())) {
  const auto segment_samples = dataset.segment_samples(options.sample_rate);
  row_size_ = features::feature_shape(options, segment_samples).size();
  const auto make_engine = features::open_features(hooks.device, options, segment_samples);
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
        source = [made = audio::synthesize(*dataset.synthetic, clip.label, clip.number),
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
      const auto [segments, samples] =
          stream_segments(source, *worker.engine, segment_samples, worker.buffers,
                          [&](std::span<const float> values, std::int64_t) {
                            if (hooks.check) hooks.check();
                            worker.spill->append(values);
                          });
      if (segments == 0)
        throw BadClip{too_short(samples, segment_samples, dataset.segment_seconds, options.sample_rate)};
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

std::int64_t extract_file(audio::AudioReader reader, features::FeatureEngine& engine,
                          std::int64_t segment_samples, SegmentBuffers& buffers,
                          const std::function<void(std::span<const float>, std::int64_t)>& consume,
                          std::int64_t* samples) {
  const auto [segments, total] = stream_segments([&](std::span<float> out) { return reader.read(out); },
                                                 engine, segment_samples, buffers, consume);
  if (samples) *samples = total;
  return segments;
}

}  // namespace timbre::data
