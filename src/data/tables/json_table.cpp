// The original's JSON: {"mapping": [genre...], "labels": [...], "mfcc": [segment [frame [coefficient...]...]...]}, keys in any
// order. `features`, `labels`, `ids` and `groups` may name other keys; labels and IDs may be texts.
#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/tables/arrays.hpp"
#include "data/tables/json_reader.hpp"
#include "data/tables/table.hpp"

namespace timbre::data {

namespace {

class JsonTableReader {
 public:
  JsonTableReader(const features::ExternalOptions& options, const std::filesystem::path& file)
      : options_(options), shown_(printable(file.string())), json_(file) {}

  Table read(const TakeRow& take) {
    std::vector<std::string> keys;
    json_.object([&](const std::string& key) {
      if (std::find(keys.begin(), keys.end(), key) != keys.end())
        json_.fail_here("the key '" + printable(key) + "' is there twice");
      if (keys.size() > 1000) json_.fail_here("more than 1,000 keys; this is no table of features");
      keys.push_back(key);
      if (is(key, options_.features, {"mfcc", "features", "X"})) {
        read_rows(key, take);
      } else if (is(key, options_.labels, {"labels", "label", "Y", "y"})) {
        read_column(key, labels_, label_numbers_);
        labels_key_ = key;
      } else if (is(key, options_.ids, {"ids", "path", "filename"})) {
        read_column(key, ids_, numbers_of_ids_);
      } else if (is(key, options_.groups, {"groups", "group"})) {
        read_column(key, groups_, numbers_of_groups_);
      } else if (key == "mapping") {
        json_.array([&] { mapping_.push_back(json_.text()); });
      } else {
        json_.skip_value();
      }
    });
    json_.end();
    if (features_key_.empty())
      fail_request("{}: has no key '{}' of features; its keys: {}", shown_,
                   printable(options_.features.value_or("mfcc")), printable(join(keys).substr(0, 500)));
    finish();
    return std::move(table_);
  }

 private:
  bool is(const std::string& key, const std::optional<std::string>& asked,
          std::initializer_list<const char*> usual) const {
    return asked ? key == *asked : std::find(usual.begin(), usual.end(), key) != usual.end();
  }

  void read_rows(const std::string& key, const TakeRow& take) {
    if (!features_key_.empty())
      json_.fail_here("'" + features_key_ + "' and '" + key + "' both hold features; name one");
    features_key_ = printable(key);
    std::vector<float> row;
    json_.array([&] {
      if (table_.rows == most_table_rows) json_.fail_here("too many rows");
      row.clear();
      std::int32_t frames = 0;
      const auto what = fmt::format("{}[{}]", features_key_, table_.rows);
      if (json_.peek() != '[') json_.fail_here(what + ": expected an array");
      // Whether a row is a vector or a sequence shows at its first value.
      std::size_t before = 0;
      bool vector = false, first = true;
      json_.array([&] {
        if (first) vector = json_.next_is_number();
        first = false;
        if (vector) {
          row.push_back(json_.number(what));
          return;
        }
        before = row.size();
        json_.array([&] {
          if (row.size() >= std::size_t{1} << 26) json_.fail_here(what + ": is too large");
          row.push_back(json_.number(what));
        });
        require_width(std::int64_t(row.size() - before), what);
        ++frames;
      });
      if (vector) frames = 1, require_width(std::int64_t(row.size()), what);
      if (frames == 0) json_.fail_here(what + ": is empty");
      table_.frames.push_back(frames);
      ++table_.rows;
      take(row);
    });
  }

  void require_width(std::int64_t width, const std::string& what) {
    if (table_.width == 0) table_.width = width;
    if (width != table_.width || width == 0)
      json_.fail_here(fmt::format("{}: {} numbers, but {} before", what, width, table_.width));
  }

  void read_column(const std::string& key, std::vector<std::string>& texts,
                   std::vector<std::int64_t>& numbers) {
    json_.array([&] {
      if (json_.peek() == '"')
        texts.push_back(json_.text());
      else
        numbers.push_back(json_.whole_number(printable(key)));
      if (!texts.empty() && !numbers.empty())
        json_.fail_here(printable(key) + ": texts and numbers are mixed");
    });
  }

  void finish() {
    if (table_.rows == 0) fail_request("{}: {} holds no rows", shown_, features_key_);
    const auto one_a_row = [&](std::size_t count, const char* key) {
      if (count != 0 && std::int64_t(count) != table_.rows)
        fail_request("{}: {} has {} entries, but {} has {}", shown_, key, count, features_key_, table_.rows);
    };
    one_a_row(labels_.size() + label_numbers_.size(), "labels");
    for (const auto n : numbers_of_ids_) ids_.push_back(std::to_string(n));
    for (const auto n : numbers_of_groups_) groups_.push_back(std::to_string(n));
    one_a_row(ids_.size(), "ids"), one_a_row(groups_.size(), "groups");
    const auto what = fmt::format("{}: {}", shown_, printable(labels_key_));
    if (!labels_.empty()) set_labels(table_, labels_, what);
    if (!label_numbers_.empty())
      set_labels(table_, label_numbers_, options_.label_names.empty() ? mapping_ : options_.label_names,
                 what);
    table_.ids = std::move(ids_), table_.groups = std::move(groups_);
    if (std::equal(table_.frames.begin() + 1, table_.frames.end(), table_.frames.begin()))
      table_.frames.resize(1);
  }

  const features::ExternalOptions& options_;
  std::string shown_, features_key_, labels_key_ = "labels";
  JsonReader json_;
  Table table_;
  std::vector<std::string> mapping_, labels_, ids_, groups_;
  std::vector<std::int64_t> label_numbers_, numbers_of_ids_, numbers_of_groups_;
};

}  // namespace

Table read_json_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                      const TakeRow& take) {
  return JsonTableReader(options, file).read(take);
}

}  // namespace timbre::data
