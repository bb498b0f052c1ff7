// The same rows from memory and from a feature store, and what becomes of a store that shrinks.
#include <gtest/gtest.h>

#include <numeric>

#include "core/error.hpp"
#include "data/row_source.hpp"
#include "storage/hdf5.hpp"

namespace timbre::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t rows = 37, frames = 11, coefficients = 5, width = frames * coefficients;

struct RowSources : testing::Test {
  fs::path file = fs::path(testing::TempDir()) / "timbre_row_source.h5";
  std::vector<float> values = std::vector<float>(rows * width);
  ThreadPool pool{2};
  std::int64_t offset = 0;

  RowSources() {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = float((i * 7919) % 1013) - 500.0f;
    auto h5 = storage::H5File::create(file);
    h5.create_rows("/features", {rows, frames, coefficients});
    h5.write_rows("/features", 0, values);
    offset = h5.rows_offset("/features");
    h5.close();
  }
  ~RowSources() override { fs::remove(file); }
};

TEST_F(RowSources, GiveTheSameRowsFromMemoryAndFromAStore) {
  const MemoryRows memory(values.data(), rows, width);
  const StoreRows store(file, rows, width, offset);
  EXPECT_EQ(store.rows(), rows);
  EXPECT_EQ(store.width(), width);
  std::vector<float> a(width), b(width);
  for (const std::int32_t r : {0, 36, 17, 3, 17}) {
    store.prefetch(std::vector<std::int32_t>{r});
    memory.read(r, a.data()), store.read(r, b.data());
    EXPECT_EQ(a, b) << "row " << r;
    EXPECT_EQ(a[0], values[std::size_t(r * width)]);
  }
}

TEST_F(RowSources, AreStandardisedToTheSameBytes) {
  StoreRows store(file, rows, width, offset);
  const std::vector<std::int32_t> training = {1, 5, 8, 13, 21, 34};
  const auto fitted = fit_standardisation(store, coefficients, training, pool);
  MemoryRows memory(values.data(), rows, width);
  const auto other = fit_standardisation(memory, coefficients, training, pool);
  EXPECT_EQ(fitted.mean, other.mean);
  EXPECT_EQ(fitted.std, other.std);
  store.standardise(fitted), memory.standardise(fitted);
  std::vector<float> expected = values, row(width), held(width);
  standardise_frames(fitted, expected);
  EXPECT_NE(expected, values);
  for (std::int32_t r = 0; r < rows; ++r) {
    store.read(r, row.data()), memory.read(r, held.data());
    EXPECT_TRUE(std::equal(row.begin(), row.end(), expected.begin() + r * width)) << "row " << r;
    EXPECT_EQ(held, row) << "row " << r;
  }
}

TEST_F(RowSources, SayWhichRowOfWhichFileCannotBeRead) {
  const StoreRows store(file, rows, width, offset);
  fs::resize_file(file, fs::file_size(file) / 2);
  std::vector<float> row(width);
  EXPECT_NO_THROW(store.read(0, row.data()));
  try {
    store.read(rows - 1, row.data());
    FAIL() << "reads past the end";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("timbre_row_source.h5: row 36 of the features cannot be read"),
              std::string::npos)
        << e.what();
  }
}

TEST_F(RowSources, RefuseAFileWithoutAsManyRows) {
  EXPECT_NO_THROW(StoreRows(file, rows, width, offset));
  EXPECT_THROW(StoreRows(file, rows + 10000, width, offset), Error);
  EXPECT_THROW(StoreRows(file, std::int64_t{1} << 62, width, offset), Error);
  EXPECT_THROW(StoreRows(file, rows, width, std::int64_t{1} << 62), Error);
  EXPECT_THROW(StoreRows(file, rows, width, -1), Error);
}

}  // namespace
}  // namespace timbre::data
