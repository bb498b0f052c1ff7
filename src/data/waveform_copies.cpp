#include "data/waveform_copies.hpp"

#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::data {

void RowsWithCopies::fetch(std::int32_t row, float* out) const {
  sources_[std::size_t(row / each())]->read(std::int32_t(row % each()), out);
}

void RowsWithCopies::prefetch(std::span<const std::int32_t> rows) const {
  std::vector<std::vector<std::int32_t>> of_source(sources_.size());
  for (const auto row : rows) of_source[std::size_t(row / each())].push_back(std::int32_t(row % each()));
  for (std::size_t i = 0; i < sources_.size(); ++i) sources_[i]->prefetch(of_source[i]);
}

std::vector<std::int32_t> with_copies(const std::vector<std::int32_t>& rows, std::int64_t rows_of_one,
                                      std::int64_t copies) {
  if ((copies + 1) * rows_of_one > std::numeric_limits<std::int32_t>::max())
    fail_at("augmentation.waveform.copies",
            "{} segments and {} of each are more than the {} that rows are numbered with",
            grouped(rows_of_one), copies == 1 ? "a copy" : grouped(copies) + " copies",
            grouped(std::numeric_limits<std::int32_t>::max()));
  std::vector<std::int32_t> out;
  for (std::int64_t k = 0; k <= copies; ++k)
    for (const auto row : rows) out.push_back(std::int32_t(row + k * rows_of_one));
  return out;
}

}  // namespace timbre::data
