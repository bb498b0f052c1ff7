// What NPY, NPZ and HDF5 tables share: which array is what, and how they become rows.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/tables/table.hpp"

namespace timbre::data {

/// The arrays of a file, by what they are for; "" where there is none.
struct ArrayNames {
  std::string features, labels, ids, groups, label_names;
};

/// As the options say, or by the usual names, with or without a '/' before them. Throws RequestError where there are no
/// features, and where an array that is named is not there.
ArrayNames choose_arrays(const features::ExternalOptions& options, const std::vector<std::string>& there,
                         const std::string& shown);

/// [rows, width], [rows, frames, width] or either with a last axis of 1: fills rows, width and frames. Throws.
void set_shape(Table& table, std::vector<std::int64_t> shape, const std::string& what);

/// Throws RequestError unless an array has one element a row.
void require_one_a_row(const Table& table, const std::vector<std::int64_t>& shape, const std::string& what);

void set_labels(Table& table, const std::vector<std::string>& names, const std::string& what);
/// Of whole numbers: indices into `names`; without names, the numbers are names.
void set_labels(Table& table, const std::vector<std::int64_t>& numbers, const std::vector<std::string>& names,
                const std::string& what);

/// Reads all rows by `read`, some at a time, and checks that they are finite.
void give_rows(const Table& table, const std::function<void(std::int64_t first, std::span<float> out)>& read,
               const TakeRow& take, const std::string& what);

}  // namespace timbre::data
