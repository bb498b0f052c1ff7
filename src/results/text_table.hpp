// Columns of text, aligned: the first `left` to the left, the others to the right.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace timbre::results {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> head, std::size_t left = 0)
      : left_(left), rows_{std::move(head)} {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// Lines indented by two blanks, without blanks at their ends.
  std::string str() const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_)
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    std::string out;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string blanks(widths[i] - width(row[i]), ' ');
        line += "  " + (i < left_ ? row[i] + blanks : blanks + row[i]);
      }
      while (line.ends_with(' ')) line.pop_back();
      out += line + "\n";
    }
    return out;
  }

 private:
  /// Characters, not bytes.
  static std::size_t width(const std::string& text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  }
  std::size_t left_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace timbre::results
