// Records of a CSV file, one after the other: lines, or several of them where a quoted field holds line ends.
// Errors: RequestError "FILE:LINE:COLUMN: ...", where a quote is never closed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "data/tables/text_reader.hpp"

namespace timbre::data {

class CsvRecords {
 public:
  explicit CsvRecords(const std::filesystem::path& file) : reader_(file) {}

  /// The next record that is not empty, without its line end. Valid until the next call.
  bool next(std::string_view& out) {
    do {
      if (!next_line(out)) return false;
    } while (out.empty());
    return true;
  }
  /// Where the record begins, from 1.
  std::int64_t line() const { return line_; }
  const std::string& shown() const { return reader_.shown(); }

 private:
  static constexpr std::size_t most_quoted = 1 << 20;  // bytes of a record that holds line ends
  bool next_line(std::string_view& out) {
    line_ = next_line_;
    reader_.take(taken_), taken_ = 0;
    if (ending_ == 0) find_ending();
    std::size_t from = 0;
    bool open = false;  // inside quotes
    for (;;) {
      const auto there = reader_.there();
      const auto end = end_of_line(there, from);
      if (end == there.npos) {
        // What has been looked at holds no line end.
        if (reader_.more()) continue;
        const auto rest = reader_.there();
        if (rest.empty()) return false;
        open ^= std::count(rest.begin() + std::ptrdiff_t(from), rest.end(), '"') % 2 == 1;
        if (open) fail_open(rest);
        out = rest, taken_ = rest.size();
        return true;
      }
      if (std::memchr(there.data() + from, '"', end - from))
        open ^=
            std::count(there.begin() + std::ptrdiff_t(from), there.begin() + std::ptrdiff_t(end), '"') % 2 ==
            1;
      ++next_line_;
      taken_ = end + 1;
      if (!open) {
        auto size = end;
        if (size > 0 && there[end] == '\n' && there[size - 1] == '\r') --size;
        out = there.substr(0, size);
        return true;
      }
      from = end + 1;
      if (from > most_quoted) fail_open(there);
    }
  }

  /// LF ends lines, or CR where the first line ends in one alone.
  void find_ending() {
    for (;;) {
      const auto there = reader_.there();
      const auto first = there.find_first_of("\r\n");
      const bool found = first != there.npos, last = found && first + 1 == there.size();
      const bool cr = found && there[first] == '\r', crlf = cr && !last && there[first + 1] == '\n';
      if ((!found || (cr && last)) && reader_.more()) continue;
      ending_ = cr && !crlf ? '\r' : '\n';
      return;
    }
  }
  std::size_t end_of_line(std::string_view there, std::size_t from) const {
    const auto* found =
        from < there.size() ? std::memchr(there.data() + from, ending_, there.size() - from) : nullptr;
    return found ? std::size_t(static_cast<const char*>(found) - there.data()) : there.npos;
  }

  /// At the last quote of the record's first line, where it is opened.
  [[noreturn]] void fail_open(std::string_view record) const {
    const auto first = record.substr(0, record.find(ending_));
    const auto at = first.rfind('"');
    fail_request("{}:{}:{}: a quote is opened and never closed", shown(), line_,
                 (at == first.npos ? 0 : at) + 1);
  }

  TextReader reader_;
  std::int64_t line_ = 0, next_line_ = 1;
  std::size_t taken_ = 0;
  char ending_ = 0;
};

}  // namespace timbre::data
