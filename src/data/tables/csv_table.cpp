// CSV, in one pass over blocks of the file: numbers are read where they lie.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <unordered_map>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/tables/csv_records.hpp"
#include "data/tables/table.hpp"
#include "data/tables/text_reader.hpp"

namespace timbre::data {

namespace {

/// What a column is for.
enum class Role : std::uint8_t { unused, value, label, id, group };

class CsvTableReader {
 public:
  CsvTableReader(const features::ExternalOptions& options, const std::filesystem::path& file)
      : options_(options), records_(file), labels_(table_) {}

  Table read(const TakeRow& take) {
    std::string_view record;
    if (!records_.next(record))
      fail_request("{}:1: empty; a table begins with a line of column names", shown());
    read_header(record);
    std::vector<float> values(static_cast<std::size_t>(table_.width));
    while (records_.next(record)) {
      if (table_.rows == most_table_rows || records_.line() > std::numeric_limits<std::int32_t>::max())
        fail_request("{}:{}: too many rows", shown(), records_.line());
      read_row(record, values.data());
      table_.lines.push_back(std::int32_t(records_.line()));
      ++table_.rows;
      take(values);
    }
    if (table_.rows == 0) fail_request("{}:1: no rows below the header", shown());
    table_.frames = {1};
    return std::move(table_);
  }

 private:
  const std::string& shown() const { return records_.shown(); }

  // ---- one field
  bool blank(char c) const { return c == ' ' || (c == '\t' && separator_ != '\t'); }
  const char* skip_blanks(const char* at, const char* end) const {
    while (at != end && blank(*at)) ++at;
    return at;
  }

  /// Of a field that begins at `at`: its text, and where it ends (at a separator or the end).
  std::string_view text_of(const char* at, const char* end, const char*& stop) {
    at = skip_blanks(at, end);
    if (at != end && *at == '"') {
      scratch_.clear();
      const char* p = at + 1;
      for (;; ++p) {
        if (p == end) fail_here(at, "a quote is opened and never closed");
        if (*p != '"') {
          scratch_ += *p;
        } else if (p + 1 != end && p[1] == '"') {
          scratch_ += *p++;
        } else {
          break;
        }
      }
      stop = skip_blanks(p + 1, end);
      if (stop != end && *stop != separator_) fail_here(stop, "text after the closing quote of a field");
      return scratch_;
    }
    const void* found = at == end ? nullptr : std::memchr(at, separator_, std::size_t(end - at));
    stop = found ? static_cast<const char*>(found) : end;
    const char* last = stop;
    while (last != at && blank(last[-1])) --last;
    if (std::memchr(at, '"', std::size_t(last - at)))
      fail_here(at, "a quote inside a field that does not begin with one");
    return {at, std::size_t(last - at)};
  }

  [[noreturn]] void fail_here(const char* at, std::string_view what) const {
    fail_request("{}:{}:{}: {}", shown(), records_.line(), at - record_.data() + 1, what);
  }

  // ---- the header
  void read_header(std::string_view record) {
    record_ = record;
    separator_ = options_.separator ? options_.separator->front() : guess_separator(record);
    const auto count = std::count(record.begin(), record.end(), separator_) + 1;
    if (count > most_table_columns)
      fail_request("{}:{}: {} columns; a table may have {}", shown(), records_.line(), grouped(count),
                   grouped(most_table_columns));
    const char *at = record.data(), *end = at + record.size();
    std::map<std::string, std::size_t, std::less<>> seen;
    for (;;) {
      const char* stop = nullptr;
      const auto name = std::string(text_of(at, end, stop));
      if (name.empty() && !names_.empty())
        fail_here(at, fmt::format("column {} has no name", names_.size() + 1));
      if (const auto [first, fresh] = seen.emplace(name, names_.size() + 1); !fresh)
        fail_here(at, fmt::format("the column '{}' is there twice, as number {} and {}", printable(name),
                                  first->second, names_.size() + 1));
      names_.push_back(name);
      if (stop == end) break;
      at = stop + 1;
    }
    give_roles();
  }

  static char guess_separator(std::string_view record) {
    char best = ',';
    std::ptrdiff_t most = 0;
    for (const char c : {',', ';', '\t', '|'}) {
      bool quoted = false;
      const auto count = std::count_if(record.begin(), record.end(), [&](char x) {
        quoted ^= x == '"';
        return x == c && !quoted;
      });
      if (count > most) best = c, most = count;
    }
    return best;
  }

  int column(std::string_view name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    return found == names_.end() ? -1 : int(found - names_.begin());
  }

  /// The column that an option names, or one of the usual names.
  int chosen(const char* key, const std::optional<std::string>& asked,
             std::initializer_list<const char*> usual) const {
    if (asked) return required(key, *asked);
    for (const auto* name : usual)
      if (const int c = column(name); c >= 0 && std::find(options_.columns.begin(), options_.columns.end(),
                                                          name) == options_.columns.end())
        return c;
    return -1;
  }

  int required(const char* key, const std::string& name) const {
    const int c = column(name);
    if (c < 0) {
      auto known = names_;
      if (known.size() > 12) known.resize(12), known.push_back("...");
      fail_request("{}:{}:1: has no column '{}' ({}){}; its columns: {}", shown(), records_.line(),
                   printable(name), key, printable(did_you_mean(name, names_)), printable(join(known)));
    }
    return c;
  }

  void give_roles() {
    roles_.assign(names_.size(), options_.columns.empty() ? Role::value : Role::unused);
    for (const auto& name : options_.columns) roles_[std::size_t(required("columns", name))] = Role::value;
    for (const auto& name : options_.drop) roles_[std::size_t(required("drop", name))] = Role::unused;
    const auto give = [&](int c, Role role) {
      if (c >= 0) roles_[std::size_t(c)] = role;
    };
    give(chosen("ids", options_.ids, {"path", "filename", "id", "ids", "IDS"}), Role::id);
    give(chosen("groups", options_.groups, {"group"}), Role::group);
    give(chosen("labels", options_.labels, {"label", "labels"}), Role::label);
    // extract_features numbers the segments of a clip in a column of this name.
    if (const int c = column("segment"); options_.columns.empty() && c >= 0)
      roles_[std::size_t(c)] = Role::unused;
    if (options_.columns.empty() && roles_[0] == Role::value && names_[0].empty()) {
      roles_[0] = Role::unused;
      table_.notes.push_back(fmt::format("{}: its first column has no name and is left out", shown()));
    }
    place_values();
    if (table_.width == 0)
      fail_request("{}:{}:1: no column is left for features; its columns: {}", shown(), records_.line(),
                   printable(join(names_).substr(0, 500)));
  }

  /// Values stand in the order of `columns`, or of the file.
  void place_values() {
    table_.columns = options_.columns;
    for (std::size_t c = 0; c < names_.size() && options_.columns.empty(); ++c)
      if (roles_[c] == Role::value) table_.columns.push_back(names_[c]);
    std::map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < table_.columns.size(); ++i)
      if (!places.emplace(table_.columns[i], i).second)
        fail_at("features.external.columns", "'{}' is named twice", printable(table_.columns[i]));
    slots_.assign(names_.size(), 0);
    for (std::size_t c = 0; c < names_.size(); ++c)
      if (roles_[c] == Role::value) slots_[c] = places.at(names_[c]);
    table_.width = std::count(roles_.begin(), roles_.end(), Role::value);
    for (const auto& name : options_.columns)
      if (roles_[std::size_t(column(name))] != Role::value)
        fail_at("features.external.columns", "'{}' is dropped, or is a label, an ID or a group",
                printable(name));
  }

  // ---- a row
  void read_row(std::string_view record, float* values) {
    record_ = record;
    const char *at = record.data(), *const end = at + record.size();
    const auto count = roles_.size();
    for (std::size_t c = 0;; ++c) {
      const char* stop = nullptr;
      if (roles_[c] == Role::value)
        stop = read_value(at, end, c, values[slots_[c]]);
      else
        read_text(at, end, c, stop);
      if (c + 1 == count) {
        if (stop != end) fail_ragged(stop);
        return;
      }
      if (stop == end) fail_ragged(stop);
      at = stop + 1;
    }
  }

  /// Numbers are read where they are; what is not plainly one is looked at again.
  const char* read_value(const char* at, const char* end, std::size_t c, float& out) {
    const char* begin = skip_blanks(at, end);
    const auto [after, code] = std::from_chars(begin, end, out);
    if (code == std::errc() && std::isfinite(out)) {
      const char* stop = skip_blanks(after, end);
      if (stop == end || *stop == separator_) return stop;
    }
    const char *stop = nullptr, *what = nullptr;
    const auto text = text_of(at, end, stop);
    if (!read_float(text.data(), text.data() + text.size(), out, &what)) fail_value(at, c, text, what);
    return stop;
  }

  [[noreturn]] void fail_value(const char* at, std::size_t c, std::string_view text, const char* what) {
    // A field that is missing or too much moves those behind it: that is said first.
    const char* const end = record_.data() + record_.size();
    if (count_fields() != roles_.size()) fail_ragged(end);
    const auto shown_text = printable(text.substr(0, 40));
    std::string hint;
    if (std::string_view(what) == "is not a number" && text.find(',') != text.npos)
      hint = "; numbers have a decimal point";
    else if (std::string_view(what) == "is not a number" && table_.rows == 0)
      hint = "; what is no feature is named by ids, labels, groups or drop";
    fail_here(at, fmt::format("column '{}': {}{}{}", printable(names_[c]),
                              text.empty() ? "" : "'" + shown_text + "' ", what, hint));
  }

  void read_text(const char* at, const char* end, std::size_t c, const char*& stop) {
    const auto text = text_of(at, end, stop);
    const auto place = [&] {
      return fmt::format("{}:{}:{}: column '{}'", shown(), records_.line(), at - record_.data() + 1,
                         printable(names_[c]));
    };
    switch (roles_[c]) {
      case Role::label:
        labels_.add(text, place);
        break;
      case Role::id:
        if (text.empty()) fail_request("{}: the ID is empty", place());
        table_.ids.emplace_back(text);
        break;
      case Role::group:
        table_.groups.emplace_back(text);
        break;
      default:
        break;
    }
  }

  std::size_t count_fields() {
    std::size_t fields = 1;
    const char *from = record_.data(), *end = from + record_.size(), *stop = nullptr;
    for (;; ++fields, from = stop + 1) {
      text_of(from, end, stop);
      if (stop == end) return fields;
    }
  }

  [[noreturn]] void fail_ragged(const char* at) {
    fail_here(at, fmt::format("{} fields, but the header has {}", count_fields(), roles_.size()));
  }

  const features::ExternalOptions& options_;
  CsvRecords records_;
  Table table_;
  LabelNumbers labels_;
  char separator_ = ',';
  std::string_view record_;
  std::string scratch_;
  std::vector<std::string> names_;
  std::vector<Role> roles_;
  std::vector<std::size_t> slots_;  // of value columns: their place in a row
};

}  // namespace

Table read_csv_table(const features::ExternalOptions& options, const std::filesystem::path& file,
                     const TakeRow& take) {
  return CsvTableReader(options, file).read(take);
}

}  // namespace timbre::data
