// NPZ and NPY as tables of features.
#include <map>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/tables/arrays.hpp"
#include "data/tables/npy.hpp"
#include "data/tables/table.hpp"
#include "storage/zip.hpp"

namespace timbre::data {

namespace {

using OpenArray = std::function<NpyArray(const std::string& name)>;

Table read_arrays(const features::ExternalOptions& options, const ArrayNames& names, const OpenArray& open,
                  const TakeRow& take) {
  Table table;
  auto features = open(names.features);
  set_shape(table, features.shape(), features.what());
  const auto of_row = [&](const std::string& name) {
    auto array = open(name);
    require_one_a_row(table, array.shape(), array.what());
    return array;
  };
  // Texts may be numbers, too: an artist's or a clip's.
  const auto texts = [](NpyArray& array) {
    if (array.is_text()) return array.texts();
    std::vector<std::string> out;
    for (const auto v : array.whole_numbers()) out.push_back(std::to_string(v));
    return out;
  };
  if (!names.labels.empty()) {
    auto labels = of_row(names.labels);
    auto label_names = options.label_names;
    if (label_names.empty() && !names.label_names.empty() && !labels.is_text())
      label_names = open(names.label_names).texts();
    if (labels.is_text())
      set_labels(table, labels.texts(), labels.what());
    else
      set_labels(table, labels.whole_numbers(), label_names, labels.what());
  }
  if (!names.ids.empty()) {
    auto ids = of_row(names.ids);
    table.ids = texts(ids);
    for (std::size_t i = 0; i < table.ids.size(); ++i)
      if (table.ids[i].empty()) fail_request("{}: row {}: the ID is empty", ids.what(), i);
  }
  if (!names.groups.empty()) {
    auto groups = of_row(names.groups);
    table.groups = texts(groups);
  }
  give_rows(
      table, [&](std::int64_t, std::span<float> out) { features.floats(out); }, take, features.what());
  return table;
}

}  // namespace

Table read_npz_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                     const TakeRow& take) {
  const storage::ZipFile zip(file);
  std::map<std::string, const storage::ZipFile::Member*> members;
  std::vector<std::string> names;
  for (const auto& m : zip.members())
    if (m.name.ends_with(".npy")) {
      names.push_back(m.name.substr(0, m.name.size() - 4));
      members.emplace(names.back(), &m);
    }
  if (names.empty()) fail_request("{}: is a zip file without arrays of NumPy's (*.npy)", zip.shown());
  const auto open = [&](const std::string& name) {
    return NpyArray(zip.open(*members.at(name)), fmt::format("{}: array '{}'", zip.shown(), printable(name)));
  };
  return read_arrays(options, choose_arrays(options, names, zip.shown()), open, take);
}

Table read_npy_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                     const TakeRow& take) {
  // Labels and IDs are files beside it.
  std::vector<std::unique_ptr<storage::RandomAccess>> files;
  const auto open = [&](const std::string& name) {
    files.push_back(std::make_unique<storage::RandomAccess>(name.empty() ? file : file.parent_path() / name));
    return NpyArray(storage::open_part(*files.back(), 0, files.back()->size()), files.back()->shown());
  };
  const ArrayNames names{"", options.labels.value_or(""), options.ids.value_or(""),
                         options.groups.value_or("")};
  return read_arrays(options, names, open, take);
}

}  // namespace timbre::data
