#include "data/csv.hpp"

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::data {

namespace fs = std::filesystem;

std::string read_text_file(const fs::path& file) {
  const auto name = printable(file.string());
  std::error_code error;
  const auto status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found)
    fail_request("{}: no such file (looked for at {})", name, printable(fs::absolute(file).string()));
  if (error) fail_request("{}: {}", name, error.message());
  if (fs::is_directory(status)) fail_request("{}: is a folder, not a file", name);
  if (!fs::is_regular_file(status)) fail_request("{}: is not a regular file", name);
  const auto size = fs::file_size(file, error);
  if (!error && size > (std::uintmax_t{1} << 30)) fail_request("{}: larger than 1 GiB; not a list", name);
  std::ifstream in(file, std::ios::binary);
  if (!in) fail_request("{}: cannot be opened: {}", name, std::generic_category().message(errno));
  std::string text(error ? 0 : size, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.find('\0') != text.npos) fail_request("{}: is not a text file", name);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return text;
}

int CsvTable::column(std::string_view name) const {
  for (std::size_t i = 0; i < header.fields.size(); ++i)
    if (header.fields[i] == name) return static_cast<int>(i);
  return -1;
}

namespace {

class CsvParser {
 public:
  CsvParser(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  /// The next row that is not empty; false at the end.
  bool next(CsvRow& row) {
    while (at_ < text_.size()) {
      row.line = line_;
      row.fields.clear();
      bool any_quoted = false;
      do {
        row.fields.push_back(field(any_quoted));
      } while (take_comma());
      take_line_end();
      if (any_quoted || row.fields.size() > 1 || !row.fields.front().empty()) return true;
    }
    return false;
  }

 private:
  static bool blank(char c) { return c == ' ' || c == '\t'; }
  bool at_end_of_field() const {
    return at_ == text_.size() || text_[at_] == ',' || text_[at_] == '\n' || text_[at_] == '\r';
  }
  void skip_blanks() {
    while (at_ < text_.size() && blank(text_[at_])) ++at_;
  }
  bool take_comma() {
    if (at_ == text_.size() || text_[at_] != ',') return false;
    ++at_;
    return true;
  }
  void take_line_end() {
    if (at_ == text_.size()) return;
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_, ++line_;
  }

  std::string field(bool& any_quoted) {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '"') {
      any_quoted = true;
      return quoted_field();
    }
    const auto begin = at_;
    while (!at_end_of_field()) {
      if (text_[at_] == '"')
        fail_request("{}:{}: a quote inside a field that does not begin with one", source_, line_);
      ++at_;
    }
    auto end = at_;
    while (end > begin && blank(text_[end - 1])) --end;
    return std::string(text_.substr(begin, end - begin));
  }

  std::string quoted_field() {
    const int opened = line_;
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
          ++at_;
        } else {
          ++at_;
          skip_blanks();
          if (!at_end_of_field())
            fail_request("{}:{}: text after the closing quote of a field", source_, line_);
          return out;
        }
      }
      if (c == '\n' || (c == '\r' && !(at_ + 1 < text_.size() && text_[at_ + 1] == '\n'))) ++line_;
      out += c;
    }
    fail_request("{}:{}: a quote is opened and never closed", source_, opened);
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

CsvTable parse_csv(std::string_view text, std::string source) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  CsvTable table{std::move(source), {}, {}};
  CsvParser parser(text, table.source);
  if (!parser.next(table.header))
    fail_request("{}:1: empty; a table begins with a line of column names", table.source);
  for (CsvRow row; parser.next(row);) {
    if (row.fields.size() != table.header.fields.size())
      fail_request("{}:{}: {} fields, but the header has {} ({})", table.source, row.line, row.fields.size(),
                   table.header.fields.size(), printable(join(table.header.fields)));
    table.rows.push_back(std::move(row));
  }
  return table;
}

CsvTable read_csv(const fs::path& file) { return parse_csv(read_text_file(file), printable(file.string())); }

}  // namespace timbre::data
