// From the rows of a table to those of the store: gathered by clip, padded or cropped, or summarised.
#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "data/external.hpp"
#include "data/extraction.hpp"
#include "data/store_files.hpp"
#include "data/store_layout.hpp"
#include "data/tables/table.hpp"

namespace timbre::data {

namespace {

constexpr std::size_t window_floats = std::size_t{1} << 18;

/// All rows of the table, one after the other, waiting on disk.
class SpilledRows {
 public:
  SpilledRows(const ExternalRows& rows, const features::ExternalOptions& options,
              const std::filesystem::path& folder, const ExtractionHooks& hooks)
      : rows_(rows), spill_(folder) {
    std::int64_t count = 0;
    std::vector<float> waiting;
    const auto total = rows.table_rows;
    for (const auto& file : options.file.paths)
      read_table(options, file, [&](std::span<const float> row) {
        waiting.insert(waiting.end(), row.begin(), row.end());
        if (waiting.size() >= window_floats) spill_.append(waiting), waiting.clear();
        if ((++count & 4095) != 0) return;
        if (hooks.check) hooks.check();
        if (hooks.progress) hooks.progress(count, total);
      });
    spill_.append(waiting);
    if (rows.frames.size() > 1) {
      begin_.push_back(0);
      for (const auto f : rows.frames) begin_.push_back(begin_.back() + f * rows.width);
    }
    if (count != total) fail("the table changed while it was read");
  }

  /// The frames of a row of the table. Valid until the next call.
  std::span<const float> row(std::int32_t number) {
    const auto fixed = rows_.width * rows_.frames.front();
    const auto first = begin_.empty() ? number * fixed : begin_[std::size_t(number)];
    const auto size = std::size_t(begin_.empty() ? fixed : begin_[std::size_t(number) + 1] - first);
    if (first < window_first_ || first + std::int64_t(size) > window_first_ + std::ssize(window_)) {
      // Rows that follow each other are read many at a time; of a shuffled table, one by one.
      const auto left = std::size_t(spill_.size() - first);
      window_.resize(std::min(left, first == end_of_last_ ? std::max(size, window_floats) : size));
      spill_.read(first, window_);
      window_first_ = first;
    }
    end_of_last_ = first + std::int64_t(size);
    return std::span<const float>(window_).subspan(std::size_t(first - window_first_), size);
  }

 private:
  const ExternalRows& rows_;
  SpillFile spill_;
  std::vector<std::int64_t> begin_;
  std::vector<float> window_;
  std::int64_t window_first_ = 0, end_of_last_ = 0;
};

/// frames [n, width] -> mean and deviation (of n) of each column, in the order asked for.
void summarise_frames(const std::vector<float>& frames, std::int64_t width,
                      const std::vector<std::string>& what, std::span<float> out) {
  const auto columns = static_cast<std::size_t>(width), n = frames.size() / columns;
  for (std::size_t f = 0; f < columns; ++f) {
    double mean = 0, square = 0;
    for (std::size_t t = 0; t < n; ++t) mean += frames[t * columns + f];
    mean /= double(n);
    for (std::size_t t = 0; t < n; ++t)
      square += (frames[t * columns + f] - mean) * (frames[t * columns + f] - mean);
    for (std::size_t k = 0; k < what.size(); ++k)
      out[k * columns + f] = float(what[k] == "mean" ? mean : std::sqrt(square / double(n)));
  }
}

/// Cropped or padded to out.size().
void fit_frames(const std::vector<float>& frames, bool repeat, std::span<float> out) {
  const auto there = std::min(frames.size(), out.size());
  std::copy_n(frames.begin(), there, out.begin());
  for (auto i = there; i < out.size(); ++i) out[i] = repeat ? out[i - there] : 0.0f;
}

}  // namespace

void build_external_store(const ClipIndex& index, const DatasetOptions& dataset,
                          const features::FeatureOptions& options, const ExtractionHooks& hooks,
                          FeatureTable& table) {
  const auto& rows = *index.external;
  const auto& external = *options.external;
  fill_rows(index, table);
  require_good_clips(table, dataset);
  table.device = "";  // Timbre did not compute them
  SpilledRows spilled(rows, external, table.file.parent_path(), hooks);
  Hasher content;
  for (const auto& file : external.file.paths) content.text(hash_of_file(file));
  if (content.hex() != rows.hash)
    fail("{}: changed while it was read", printable(external.file.paths.front().string()));

  storage::AtomicFile file(table.file, storage::Links::replace);
  const auto row_size = table.shape.size(), step = rows_at_once(row_size);
  table.rows_offset =
      write_feature_layout(file, table, dataset, options, std::nullopt, [&](const auto& take) {
        std::vector<float> block, frames;
        for (std::int64_t first = 0; first < rows.rows(); first += step) {
          if (hooks.check) hooks.check();
          const auto n = std::min(step, rows.rows() - first);
          block.resize(static_cast<std::size_t>(n * row_size));
          for (std::int64_t i = 0; i < n; ++i) {
            frames.clear();
            for (auto m = rows.begin[std::size_t(first + i)]; m < rows.begin[std::size_t(first + i) + 1];
                 ++m) {
              const auto part = spilled.row(rows.members[std::size_t(m)]);
              frames.insert(frames.end(), part.begin(), part.end());
            }
            const auto out = std::span(block).subspan(std::size_t(i * row_size), std::size_t(row_size));
            if (external.summary.empty())
              fit_frames(frames, external.pad == "repeat", out);
            else
              summarise_frames(frames, rows.width, external.summary, out);
          }
          take(block);
        }
      });
}

}  // namespace timbre::data
