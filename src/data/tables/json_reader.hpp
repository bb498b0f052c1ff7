// JSON (RFC 8259) of any length as a stream, with line and column. nlohmann-json tells no places of values that are well-formed
// and wrong, and its tree of a hundred million numbers does not fit.
// Errors: RequestError "FILE:LINE:COLUMN: ...".
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "data/tables/text_reader.hpp"

namespace timbre::data {

class JsonReader {
 public:
  explicit JsonReader(const std::filesystem::path& file) : reader_(file) {}

  /// The next character that is no blank; it stays. Throws at the end of the file.
  char peek();
  bool next_is_number() {
    return peek() == '-' || (peek() >= '0' && peek() <= '9') || peek() == 'N' || peek() == 'I';
  }
  /// Calls `item` at the beginning of each; it must read the value.
  void array(const std::function<void()>& item);
  void object(const std::function<void(const std::string& key)>& value);
  std::string text();
  /// Finite. `what` names it in messages.
  float number(std::string_view what);
  std::int64_t whole_number(std::string_view what);
  void skip_value() { skip(0); }
  /// Throws unless only blanks are left.
  void end();

  /// "FILE:LINE:COLUMN" of what peek() gave last.
  std::string place() const;
  [[noreturn]] void fail_here(std::string_view what) const;

 private:
  void expect(char c, std::string_view what);
  bool refill();
  char take() {
    ++column_;
    return view_[at_++];
  }
  std::string_view number_token();
  void skip(int depth);
  TextReader reader_;
  std::string_view view_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1, column_ = 1;
};

}  // namespace timbre::data
