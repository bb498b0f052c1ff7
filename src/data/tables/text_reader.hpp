// A large text file, block by block: records for CSV, characters for JSON. Memory: a block, and the longest record.
// Errors: RequestError "FILE: ...": it cannot be read, holds NUL characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace timbre::data {

class TextReader {
 public:
  explicit TextReader(const std::filesystem::path& file);
  ~TextReader();
  TextReader(const TextReader&) = delete;
  TextReader& operator=(const TextReader&) = delete;

  /// The file's name in messages.
  const std::string& shown() const { return shown_; }
  /// What is in memory and has not been taken, without a byte order mark at the beginning of the file.
  std::string_view there() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void take(std::size_t bytes) { begin_ += bytes; }
  /// Reads on; what there() gave moves. False at the end of the file. Throws where more than 64 MiB would be held.
  bool more();

 private:
  std::string shown_;
  int descriptor_ = -1;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool at_start_ = true;
};

/// The number that a text is, as float32: finite, without blanks around it. False where it is none; *what then says what is
/// wrong ("is empty", "is not finite", "is not a number", "is too large for float32").
bool read_float(const char* begin, const char* end, float& out, const char** what);

}  // namespace timbre::data
