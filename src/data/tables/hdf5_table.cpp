// HDF5 as tables of features, read behind the door (storage/door.hpp): a child reads the whole table, so that memory grows
// with its features.
#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/tables/arrays.hpp"
#include "data/tables/table.hpp"
#include "storage/door.hpp"
#include "storage/hdf5.hpp"

namespace timbre::data {

namespace {

/// What the child sends.
struct Content {
  std::vector<std::int64_t> shape;
  std::vector<float> features;
  std::string features_name, labels_name, ids_name, groups_name;
  std::vector<std::string> labels, ids, groups, label_names;
  std::vector<double> label_numbers;
};
template <class A>
void travel(A& parcel, Content& c) {
  parcel(c.shape, c.features, c.features_name, c.labels_name, c.ids_name, c.groups_name, c.labels, c.ids,
         c.groups, c.label_names, c.label_numbers);
}

/// Paths of all data sets, at most some thousands, down to eight levels.
void list_datasets(const storage::H5File& file, const std::string& group, int depth,
                   std::vector<std::string>& out) {
  constexpr std::size_t most = 5000;
  for (const auto& child : file.children(group.empty() ? "/" : group)) {
    if (out.size() >= most) return;
    const auto path = group + "/" + child.name;
    if (!child.is_group)
      out.push_back(path);
    else if (depth < 8)
      list_datasets(file, path, depth + 1, out);
  }
}

std::vector<std::string> read_column(const storage::H5File& file, const std::string& path) {
  if (file.type_name(path) == "string") return file.read_texts(path);
  std::vector<std::string> out;
  for (const double v : file.read_doubles(path)) out.push_back(number_text(v));
  return out;
}

/// Of a clip each; given to the rows.
template <class T>
std::vector<T> by_clip(const std::vector<T>& values, const std::vector<std::int32_t>& clip,
                       const std::string& shown) {
  std::vector<T> out;
  for (const auto c : clip) {
    if (c < 0 || std::size_t(c) >= values.size())
      fail_request("{}: /clip names clips that are not there", shown);
    out.push_back(values[std::size_t(c)]);
  }
  return out;
}

Content read_content(const features::ExternalOptions& options, const std::filesystem::path& path) {
  const auto shown = printable(path.string());
  const auto file = storage::H5File::open(path);
  std::vector<std::string> there;
  list_datasets(file, "", 0, there);
  auto names = choose_arrays(options, there, shown);
  Content out;
  const bool own = !options.features && !options.ids && file.exists("/clip") && file.exists("/clips/path");
  out.features_name = names.features;
  out.shape = file.shape(names.features).extents();
  out.features = file.read_floats(names.features);
  if (own) {
    const auto clip = file.read_ints("/clip");
    out.ids = by_clip(file.read_texts("/clips/path"), clip, shown);
    out.ids_name = "/clip";
    if (file.exists("/clips/group")) {
      out.groups = by_clip(file.read_texts("/clips/group"), clip, shown);
      out.groups_name = "/clips/group";
    }
    if (file.exists("/label_names")) out.label_names = file.read_texts("/label_names");
  } else {
    if (!names.ids.empty()) out.ids = read_column(file, names.ids), out.ids_name = names.ids;
    if (!names.groups.empty()) out.groups = read_column(file, names.groups), out.groups_name = names.groups;
  }
  if (!names.labels.empty()) {
    out.labels_name = names.labels;
    if (file.type_name(names.labels) == "string")
      out.labels = file.read_texts(names.labels);
    else
      out.label_numbers = file.read_doubles(names.labels);
  }
  return out;
}

}  // namespace

Table read_hdf5_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                      const TakeRow& take) {
  const auto shown = printable(file.string());
  auto c = storage::read_here_or_in_child(false, file, [&] { return read_content(options, file); });
  const auto what = [&](const std::string& name) {
    return fmt::format("{}: data set '{}'", shown, printable(name));
  };
  Table table;
  set_shape(table, c.shape, what(c.features_name));
  const auto one_a_row = [&](std::size_t count, const std::string& name) {
    if (!name.empty()) require_one_a_row(table, {std::int64_t(count)}, what(name));
  };
  if (std::int64_t(c.features.size()) != table.rows * table.width * table.frames.front())
    fail_request("{}: is not as large as its shape", what(c.features_name));
  one_a_row(c.ids.size(), c.ids_name), one_a_row(c.groups.size(), c.groups_name);
  one_a_row(std::max(c.labels.size(), c.label_numbers.size()), c.labels_name);
  table.ids = std::move(c.ids), table.groups = std::move(c.groups);
  for (std::size_t i = 0; i < table.ids.size(); ++i)
    if (table.ids[i].empty()) fail_request("{}: row {}: the ID is empty", what(c.ids_name), i);
  if (!c.labels.empty()) set_labels(table, c.labels, what(c.labels_name));
  if (!c.label_numbers.empty()) {
    std::vector<std::int64_t> numbers;
    for (const double v : c.label_numbers) {
      if (!(v == double(std::int64_t(v))))
        fail_request("{}: {} is not a whole number", what(c.labels_name), v);
      numbers.push_back(std::int64_t(v));
    }
    set_labels(table, numbers, options.label_names.empty() ? c.label_names : options.label_names,
               what(c.labels_name));
  }
  const auto row_size = table.width * table.frames.front();
  give_rows(
      table,
      [&](std::int64_t first, std::span<float> out) {
        std::copy_n(c.features.begin() + first * row_size, out.size(), out.begin());
      },
      take, what(c.features_name));
  return table;
}

}  // namespace timbre::data
