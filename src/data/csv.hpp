// Tables as comma-separated text: RFC 4180 with what people's tools add to it.
//
// Fields may stand in double quotes ("" is one quote; a quoted field may hold commas and line ends). Line ends
// are LF, CRLF or CR; a UTF-8 byte order mark and empty lines are passed over; blanks around an unquoted field do
// not count.
// Errors are RequestError "FILE:LINE: ...".
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace timbre::data {

struct CsvRow {
  int line = 0;  // where the row begins, from 1
  std::vector<std::string> fields;
};

struct CsvTable {
  std::string source;  // the file's name in messages
  CsvRow header;
  std::vector<CsvRow> rows;  // each has as many fields as the header

  /// Index of a column; -1 where there is none.
  int column(std::string_view name) const;
};

/// Whole text file, at most 1 GiB, without its byte order mark. Throws RequestError: not there, a folder, not
/// text (holds a NUL character), too large.
std::string read_text_file(const std::filesystem::path& file);

CsvTable read_csv(const std::filesystem::path& file);
CsvTable parse_csv(std::string_view text, std::string source);

}  // namespace timbre::data
