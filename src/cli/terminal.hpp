// The terminal that a person reads: its size, and text that fits it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace timbre::cli {

struct TerminalSize {
  std::size_t columns = 80, rows = 24;
};
/// Of the terminal behind a stream (its file descriptor); 80 by 24 where it is none, or says nothing sensible.
TerminalSize terminal_size(int stream);

/// Whether a stream is a terminal that shows bold and dim text.
bool shows_emphasis(int stream);

/// Columns that UTF-8 text takes (each character of ours takes one).
std::size_t columns_of(std::string_view text);

/// The text, cut to a number of columns.
std::string clip_columns(std::string_view text, std::size_t columns);

/// The text in lines of so many columns, broken at spaces; all but the first begin with two spaces. A longer word has a line of
/// its own, and is not cut.
std::string broken_at_spaces(std::string_view text, std::size_t columns);

/// A piece of a line. Where the line is too long, pieces of higher rank are left out first; rank 0 stays.
struct Piece {
  std::string text;
  int rank = 0;
  std::string_view before = " ";  // between it and the piece before
};

/// The pieces that fit; cut where not even those of rank 0 fit.
std::string fitted(std::vector<Piece> pieces, std::size_t columns);

}  // namespace timbre::cli
