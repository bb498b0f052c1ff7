#include "data/tables/json_reader.hpp"

#include <charconv>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::data {

bool JsonReader::refill() {
  reader_.take(at_), at_ = 0;
  const bool more = reader_.more();
  view_ = reader_.there();
  return more;
}

std::string JsonReader::place() const { return fmt::format("{}:{}:{}", reader_.shown(), line_, column_); }

void JsonReader::fail_here(std::string_view what) const { fail_request("{}: {}", place(), what); }

char JsonReader::peek() {
  for (;;) {
    for (; at_ < view_.size(); ++at_) {
      const char c = view_[at_];
      if (c == '\n')
        ++line_, column_ = 1;
      else if (c == ' ' || c == '\t' || c == '\r')
        ++column_;
      else
        return c;
    }
    if (!refill()) fail_here("the file ends early: its JSON is cut short");
  }
}

void JsonReader::expect(char c, std::string_view what) {
  if (peek() != c)
    fail_here(fmt::format("expected {}, not '{}'", what, printable(std::string(1, view_[at_]))));
  take();
}

void JsonReader::array(const std::function<void()>& item) {
  expect('[', "an array [...]");
  if (peek() == ']') {
    take();
    return;
  }
  for (;;) {
    peek();
    item();
    const char c = peek();
    if (c == ']') break;
    expect(',', "a comma or the end of the array");
  }
  take();
}

void JsonReader::object(const std::function<void(const std::string&)>& value) {
  expect('{', "an object {...}");
  if (peek() == '}') {
    take();
    return;
  }
  for (;;) {
    const auto key = text();
    expect(':', "a colon");
    peek();
    value(key);
    if (peek() == '}') break;
    expect(',', "a comma or the end of the object");
  }
  take();
}

std::string JsonReader::text() {
  if (peek() != '"') fail_here("expected a text in quotes");
  take();
  std::string out;
  const auto next = [&] {
    if (at_ == view_.size() && !refill()) fail_here("the file ends early: a text is never closed");
    return take();
  };
  const auto hex = [&] {
    std::uint32_t v = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = next();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) fail_here("a \\u escape has four hexadecimal digits");
      v = v << 4 | std::uint32_t(digit);
    }
    return v;
  };
  for (;;) {
    char c = next();
    if (c == '"') return out;
    if (static_cast<unsigned char>(c) < 0x20)
      fail_here("a text holds a line end or another control character");
    if (out.size() > (1 << 20)) fail_here("a text is longer than 1 MiB");
    if (c != '\\') {
      out += c;
      continue;
    }
    c = next();
    const std::string_view plain = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
    if (const auto i = plain.find(c); i != plain.npos) {
      out += meant[i];
    } else if (c == 'u') {
      auto v = hex();
      if (v >= 0xD800 && v < 0xDC00 && next() == '\\' && next() == 'u')
        v = 0x10000 + ((v - 0xD800) << 10) + (hex() - 0xDC00);
      if (v < 0x80)
        out += char(v);
      else if (v < 0x800)
        out += char(0xC0 | v >> 6), out += char(0x80 | (v & 63));
      else if (v < 0x10000)
        out += char(0xE0 | v >> 12), out += char(0x80 | (v >> 6 & 63)), out += char(0x80 | (v & 63));
      else
        out += char(0xF0 | (v >> 18 & 7)), out += char(0x80 | (v >> 12 & 63)),
            out += char(0x80 | (v >> 6 & 63)), out += char(0x80 | (v & 63));
    } else {
      fail_here("an unknown escape in a text");
    }
  }
}

std::string_view JsonReader::number_token() {
  peek();
  for (std::size_t size = 0;;) {
    while (at_ + size < view_.size()) {
      const char c = view_[at_ + size];
      if (c == ',' || c == ']' || c == '}' || c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ':')
        return view_.substr(at_, size);
      ++size;
    }
    if (size > 4096) fail_here("expected a number");
    if (!refill()) {
      at_ = view_.size();
      fail_here("the file ends early: its JSON is cut short");
    }
  }
}

float JsonReader::number(std::string_view what) {
  const auto token = number_token();
  float out = 0;
  const char* wrong = nullptr;
  if (!read_float(token.data(), token.data() + token.size(), out, &wrong))
    fail_here(fmt::format("{}: '{}' {}", what, printable(token.substr(0, 40)), wrong));
  at_ += token.size(), column_ += std::int64_t(token.size());
  return out;
}

std::int64_t JsonReader::whole_number(std::string_view what) {
  const auto token = number_token();
  std::int64_t out = 0;
  const auto [stop, code] = std::from_chars(token.data(), token.data() + token.size(), out);
  if (code != std::errc() || stop != token.data() + token.size())
    fail_here(fmt::format("{}: '{}' is not a whole number", what, printable(token.substr(0, 40))));
  at_ += token.size(), column_ += std::int64_t(token.size());
  return out;
}

void JsonReader::skip(int depth) {
  if (depth > 64) fail_here("is nested deeper than 64 levels");
  const char c = peek();
  if (c == '[') {
    array([&] { skip(depth + 1); });
  } else if (c == '{') {
    object([&](const std::string&) { skip(depth + 1); });
  } else if (c == '"') {
    text();
  } else {
    const auto token = number_token();
    if (token.empty()) fail_here("expected a value");
    at_ += token.size(), column_ += std::int64_t(token.size());
  }
}

void JsonReader::end() {
  for (;;) {
    for (; at_ < view_.size(); ++at_) {
      const char c = view_[at_];
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') fail_here("something follows the end of the JSON");
      if (c == '\n') ++line_, column_ = 0;
      ++column_;
    }
    if (!refill()) return;
  }
}

}  // namespace timbre::data
