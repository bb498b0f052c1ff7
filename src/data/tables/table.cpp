#include "data/tables/table.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/hdf5.hpp"

namespace timbre::data {

std::string table_format(const features::ExternalOptions& options, const std::filesystem::path& file) {
  if (options.format) return *options.format;
  const auto ending = file.extension().string();
  if (ending == ".csv" || ending == ".tsv" || ending == ".txt") return "csv";
  if (ending == ".npy" || ending == ".npz" || ending == ".json") return ending.substr(1);
  if (ending == ".h5" || ending == ".hdf5") return "hdf5";
  if (ending == ".pkl" || ending == ".pickle" || ending == ".joblib" || ending == ".pt" || ending == ".pth")
    fail_request(
        "{}: is a pickle, which runs code when it is read: refused. Save it with numpy.savez(F, X=..., "
        "Y=..., IDS=...)",
        printable(file.string()));
  fail_request("{}: its ending tells no format; features.external.format is one of csv, npy, npz, hdf5, json",
               printable(file.string()));
}

Table read_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                 const TakeRow& take) {
  const auto format = table_format(options, file);
  storage::require_regular_file(file);
  auto table = format == "csv"    ? read_csv_table(options, file, take)
               : format == "npy"  ? read_npy_table(options, file, take)
               : format == "npz"  ? read_npz_table(options, file, take)
               : format == "json" ? read_json_table(options, file, take)
                                  : read_hdf5_table(options, file, take);
  if (table.rows == 0) fail_request("{}: holds no rows", printable(file.string()));
  return table;
}

void LabelNumbers::add(std::string_view name, const std::function<std::string()>& place) {
  constexpr std::size_t most = 10'000;
  if (last_number_ < 0 || name != last_) {
    auto& names = table_.label_names;
    if (name.empty()) fail_request("{}: the label is empty", place());
    if (names.size() > most)
      fail_request("{}: more than {} different labels; are these labels?", place(), grouped(most));
    const auto found = std::find(names.begin(), names.end(), name);
    last_number_ = std::int32_t(found - names.begin());
    if (found == names.end()) names.emplace_back(name);
    last_ = name;
  }
  table_.label.push_back(last_number_);
}

}  // namespace timbre::data
