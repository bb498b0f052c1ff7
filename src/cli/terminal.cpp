#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace timbre::cli {

namespace {

bool begins_character(char c) { return (c & 0xC0) != 0x80; }

}  // namespace

TerminalSize terminal_size(int stream) {
  winsize size{};
  if (ioctl(stream, TIOCGWINSZ, &size) != 0 || size.ws_col <= 20 || size.ws_row < 3) return {};
  return {size.ws_col, size.ws_row};
}

bool shows_emphasis(int stream) {
  const char* kind = std::getenv("TERM");
  return isatty(stream) != 0 && kind && std::string_view(kind) != "dumb" && !std::getenv("NO_COLOR");
}

std::size_t columns_of(std::string_view text) {
  return std::size_t(std::count_if(text.begin(), text.end(), begins_character));
}

std::string clip_columns(std::string_view text, std::size_t columns) {
  std::size_t used = 0, i = 0;
  for (; i < text.size(); ++i)
    if (begins_character(text[i]) && ++used > columns) break;
  return std::string(text.substr(0, i));
}

std::string broken_at_spaces(std::string_view text, std::size_t columns) {
  std::string out;
  std::string_view indent;
  while (columns_of(text) + indent.size() > columns) {
    const auto word = text.find_first_not_of(' ');  // spaces before it stay
    if (word == text.npos) break;
    // The space itself may be beyond the last column.
    auto end = text.rfind(' ', clip_columns(text, columns + 1 - indent.size()).size() - 1);
    if (end == text.npos || end < word) end = text.find(' ', word);
    const auto next = end == text.npos ? end : text.find_first_not_of(' ', end);
    if (next == text.npos) break;
    out.append(indent).append(text.substr(0, end)).append("\n");
    text.remove_prefix(next);
    indent = "  ";
  }
  return out.append(indent).append(text);
}

std::string fitted(std::vector<Piece> pieces, std::size_t columns) {
  const auto join = [&] {
    std::string line;
    for (const auto& piece : pieces) line.append(line.empty() ? "" : piece.before).append(piece.text);
    return line;
  };
  auto line = join();
  while (columns_of(line) > columns) {
    const auto least = std::max_element(pieces.begin(), pieces.end(),
                                        [](const Piece& a, const Piece& b) { return a.rank < b.rank; });
    if (least == pieces.end() || least->rank == 0) return clip_columns(line, columns);
    pieces.erase(least);
    line = join();
  }
  return line;
}

}  // namespace timbre::cli
