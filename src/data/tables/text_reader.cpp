#include "data/tables/text_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::data {

namespace {
constexpr std::size_t block = std::size_t{1} << 18, most_held = std::size_t{1} << 26;
}  // namespace

TextReader::TextReader(const std::filesystem::path& file)
    : shown_(printable(file.string())), buffer_(2 * block) {
  descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0)
    fail_request("{}: cannot be opened: {}", shown_, std::generic_category().message(errno));
}

TextReader::~TextReader() { ::close(descriptor_); }

bool TextReader::more() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_, begin_ = 0;
  }
  if (buffer_.size() - end_ < block) {
    if (end_ > most_held)
      fail_request("{}: a single line or value is longer than {} MiB", shown_, most_held >> 20);
    buffer_.resize(2 * buffer_.size());
  }
  ssize_t got = 0;
  do got = ::read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
  while (got < 0 && errno == EINTR);
  if (got < 0) fail_request("{}: cannot be read: {}", shown_, std::generic_category().message(errno));
  if (got == 0) return false;
  if (std::memchr(buffer_.data() + end_, 0, std::size_t(got)))
    fail_request("{}: is not text (it holds NUL bytes; a UTF-16 file must be saved as UTF-8)", shown_);
  end_ += std::size_t(got);
  if (at_start_ && end_ >= 3) {
    at_start_ = false;
    if (there().starts_with("\xEF\xBB\xBF")) begin_ += 3;
  }
  return true;
}

bool read_float(const char* begin, const char* end, float& out, const char** what) {
  if (begin != end && *begin == '+') ++begin;
  *what = begin == end ? "is empty" : "is not a number";
  if (begin == end) return false;
  auto [stop, code] = std::from_chars(begin, end, out);
  if (code == std::errc::result_out_of_range) {
    // Too small is 0; too large is an error.
    double wide = 0;
    const auto again = std::from_chars(begin, end, wide);
    const bool exponent_is_negative = std::find(begin, again.ptr, '-') != again.ptr &&
                                      (again.ec == std::errc::result_out_of_range || std::abs(wide) < 1);
    *what = "is too large for float32";
    if (!exponent_is_negative) return false;
    out = again.ec == std::errc() ? float(wide) : 0.0f;
    stop = again.ptr, code = {};
  }
  if (code != std::errc() || stop != end) {
    *what = "is not a number";
    return false;
  }
  *what = "is not finite";
  return std::isfinite(out);
}

}  // namespace timbre::data
