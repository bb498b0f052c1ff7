#include "data/tables/arrays.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::data {

namespace {

std::string_view plain(std::string_view name) { return name.starts_with('/') ? name.substr(1) : name; }

std::string find(const std::vector<std::string>& there, std::string_view name) {
  for (const auto& t : there)
    if (plain(t) == plain(name)) return t;
  return "";
}

}  // namespace

ArrayNames choose_arrays(const features::ExternalOptions& options, const std::vector<std::string>& there,
                         const std::string& shown) {
  const auto known = [&] {
    auto names = there;
    if (names.size() > 20) names.resize(20), names.push_back("...");
    return printable(join(names));
  };
  const auto choose = [&](const char* key, const std::optional<std::string>& asked,
                          std::initializer_list<const char*> usual) -> std::string {
    if (asked) {
      auto found = find(there, *asked);
      if (found.empty())
        fail_request("{}: has no array '{}' ({}){}; its arrays: {}", shown, printable(*asked), key,
                     printable(did_you_mean(*asked, there)), known());
      return found;
    }
    for (const auto* name : usual)
      if (auto found = find(there, name); !found.empty()) return found;
    return "";
  };
  ArrayNames out{choose("features", options.features, {"X", "x", "features", "embeddings", "mfcc"}),
                 choose("labels", options.labels, {"Y", "y", "labels", "label"}),
                 choose("ids", options.ids, {"IDS", "ids", "id", "path", "paths", "filename"}),
                 choose("groups", options.groups, {"groups", "group"})};
  out.label_names = find(there, "label_names");
  if (out.features.empty() && there.size() == 1) out.features = there.front();
  if (out.features.empty())
    fail_request("{}: which array holds the features? features.external.features names it; its arrays: {}",
                 shown, known());
  return out;
}

void set_shape(Table& table, std::vector<std::int64_t> shape, const std::string& what) {
  const auto text = fmt::format("[{}]", fmt::join(shape, ", "));
  while (shape.size() > 3 && shape.back() == 1) shape.pop_back();
  if (shape.size() == 1) shape.push_back(1);
  if (shape.size() != 2 && shape.size() != 3)
    fail_request("{}: has the shape {}; features are [rows, width] or [rows, frames, width]", what, text);
  constexpr std::int64_t most = std::int64_t{1} << 26;  // values of a row
  const auto frames = shape.size() == 3 ? shape[1] : 1;
  for (const auto extent : shape)
    if (extent < 1) fail_request("{}: has the shape {}: nothing is in it", what, text);
  if (shape[0] > most_table_rows || shape.back() > (1 << 20) || frames > most / shape.back())
    fail_request("{}: has the shape {}, which is too large", what, text);
  table.rows = shape[0], table.width = shape.back(), table.frames = {std::int32_t(frames)};
}

void require_one_a_row(const Table& table, const std::vector<std::int64_t>& shape, const std::string& what) {
  std::int64_t size = shape.empty() ? 0 : 1;
  for (const auto extent : shape) size = extent != 0 && size > most_table_rows / extent ? -1 : size * extent;
  if (shape.empty() || shape.front() != table.rows || size != table.rows)
    fail_request("{}: has the shape [{}], but there are {} rows of features", what, fmt::join(shape, ", "),
                 table.rows);
}

void set_labels(Table& table, const std::vector<std::string>& names, const std::string& what) {
  LabelNumbers numbers(table);
  for (std::size_t i = 0; i < names.size(); ++i)
    numbers.add(names[i], [&] { return fmt::format("{}: row {}", what, i); });
}

void set_labels(Table& table, const std::vector<std::int64_t>& numbers, const std::vector<std::string>& names,
                const std::string& what) {
  if (names.empty()) {
    std::vector<std::string> texts;
    for (const auto n : numbers) texts.push_back(std::to_string(n));
    return set_labels(table, texts, what);
  }
  table.label_names = names;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] < 0 || numbers[i] >= std::ssize(names))
      fail_request("{}: row {}: the label {} is unknown: there are {} names, from 0 on", what, i, numbers[i],
                   names.size());
    table.label.push_back(std::int32_t(numbers[i]));
  }
}

void give_rows(const Table& table, const std::function<void(std::int64_t, std::span<float>)>& read,
               const TakeRow& take, const std::string& what) {
  const auto size = table.width * table.frames.front();
  const auto at_once = std::max<std::int64_t>(1, (std::int64_t{1} << 16) / size);
  std::vector<float> block;
  for (std::int64_t first = 0; first < table.rows; first += at_once) {
    const auto n = std::min(at_once, table.rows - first);
    block.resize(static_cast<std::size_t>(n * size));
    read(first, block);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto row = std::span(block).subspan(std::size_t(i * size), std::size_t(size));
      const auto bad = std::find_if(row.begin(), row.end(), [](float v) { return !std::isfinite(v); });
      if (bad != row.end())
        fail_request("{}: row {}, value {}: {} is not finite", what, first + i, bad - row.begin(), *bad);
      take(row);
    }
  }
}

}  // namespace timbre::data
