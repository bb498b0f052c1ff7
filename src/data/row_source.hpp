// Rows of features as training reads them: one by one, in any order, from memory or from a feature store.
//
// A store's rows lie one after the other in its file (HDF5's contiguous layout), so a row is one read at a known
// place: no copy of the data is held, and what the machine has of free memory caches them. Standardisation is
// done on the way: the same bytes from both, and runs that standardise differently share one copy of the features.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "data/standardise.hpp"

namespace timbre::data {

class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual std::int64_t rows() const = 0;
  /// Floats of a row.
  virtual std::int64_t width() const = 0;
  /// From now on rows are standardised as they are read.
  void standardise(Standardisation standardisation) { standardisation_ = std::move(standardisation); }
  /// Writes row `row` to out [width]. From any thread. Throws Error where the disk refuses.
  void read(std::int32_t row, float* out) const;
  /// These rows will be read soon; returns at once.
  virtual void prefetch(std::span<const std::int32_t>) const {}

 protected:
  /// The row as it is stored.
  virtual void fetch(std::int32_t row, float* out) const = 0;

 private:
  Standardisation standardisation_;  // empty: as they are
};

/// Rows [rows, width] that lie in memory; not owned.
class MemoryRows final : public RowSource {
 public:
  MemoryRows(const float* data, std::int64_t rows, std::int64_t width)
      : data_(data), rows_(rows), width_(width) {}
  std::int64_t rows() const override { return rows_; }
  std::int64_t width() const override { return width_; }

 private:
  void fetch(std::int32_t row, float* out) const override;
  const float* data_;
  std::int64_t rows_, width_;
};

/// Rows of /features [N, T, F] of a feature store's file, which stays open.
class StoreRows final : public RowSource {
 public:
  /// `offset`: where row 0 begins, in bytes; as FeatureTable has it. Throws Error where the file has not as many.
  StoreRows(const std::filesystem::path& file, std::int64_t rows, std::int64_t width, std::int64_t offset);
  ~StoreRows() override;
  StoreRows(const StoreRows&) = delete;
  StoreRows& operator=(const StoreRows&) = delete;
  std::int64_t rows() const override { return rows_; }
  std::int64_t width() const override { return width_; }
  void prefetch(std::span<const std::int32_t> rows) const override;
  /// Whole rows from `first` on, as they are stored.
  void read_rows(std::int64_t first, std::span<float> out) const;

 private:
  void fetch(std::int32_t row, float* out) const override;
  std::filesystem::path file_;
  std::int64_t offset_ = 0, rows_ = 0, width_ = 0;  // offset: of row 0, in bytes
  int descriptor_ = -1;
};

}  // namespace timbre::data
