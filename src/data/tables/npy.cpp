#include "data/tables/npy.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::data {

static_assert(std::endian::native == std::endian::little, "arrays are read as they lie");

namespace {

constexpr std::size_t most_head = 1 << 20, block_bytes = 1 << 18;
constexpr std::int64_t most_texts = std::int64_t{1} << 30;  // bytes

/// The value of a key in the head, a Python dictionary: the text between the colon and what ends it.
std::string_view value_of(std::string_view head, std::string_view key) {
  for (const char quote : {'\'', '"'}) {
    const auto at = head.find(quote + std::string(key) + quote);
    if (at == head.npos) continue;
    auto rest = head.substr(at + key.size() + 2);
    const auto first = rest.find_first_not_of(": ");
    if (first == rest.npos) return {};
    rest = rest.substr(first);
    const char open = rest.front();
    const auto end = open == '(' ? rest.find(')') : open == '[' ? rest.find(']') : rest.find_first_of(",}");
    return rest.substr(0, end == rest.npos ? end : end + (open == '(' || open == '['));
  }
  return {};
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0 | c >> 6), add(0x80 | (c & 63));
  } else if (c < 0x10000) {
    add(0xE0 | c >> 12), add(0x80 | (c >> 6 & 63)), add(0x80 | (c & 63));
  } else {
    add(0xF0 | c >> 18), add(0x80 | (c >> 12 & 63)), add(0x80 | (c >> 6 & 63)), add(0x80 | (c & 63));
  }
}

}  // namespace

NpyArray::NpyArray(std::unique_ptr<storage::ByteSource> bytes, std::string what)
    : bytes_(std::move(bytes)), what_(std::move(what)) {
  char mark[8];
  const auto got = bytes_->read(mark);
  if (got > 0 && mark[0] == '\x80')
    fail_request("{}: is a pickle, which runs code when it is read: refused", what_);
  if (got < sizeof mark || std::memcmp(mark, "\x93NUMPY", 6) != 0)
    fail_request("{}: is not an array of NumPy's", what_);
  const int version = mark[6];
  if (version < 1 || version > 3) fail_request("{}: is of format {}, which is not known", what_, version);
  unsigned char size_bytes[4]{};
  const std::size_t width = version == 1 ? 2 : 4;
  if (bytes_->read({reinterpret_cast<char*>(size_bytes), width}) < width)
    fail_request("{}: ends early", what_);
  const std::size_t size =
      size_bytes[0] | size_bytes[1] << 8 | size_bytes[2] << 16 | std::size_t(size_bytes[3]) << 24;
  if (size > most_head)
    fail_request("{}: its head of {} bytes is too large", what_, grouped(std::int64_t(size)));
  std::string head(size, '\0');
  if (bytes_->read(head) < size) fail_request("{}: ends early", what_);
  parse_head(head);
  const auto data = bytes_->size() - 8 - width - size;
  const auto claimed = std::uint64_t(elements_) * item_size_;
  if (data != claimed)
    fail_request("{}: its shape ({}) takes {} bytes, but {} are there", what_,
                 fmt::format("{}", fmt::join(shape_, ", ")), grouped(std::int64_t(claimed)),
                 grouped(std::int64_t(data)));
}

void NpyArray::parse_head(const std::string& head) {
  const auto bad = [&](std::string_view why) { fail_request("{}: {}", what_, why); };
  auto type = std::string(value_of(head, "descr"));
  std::erase_if(type, [](char c) { return c == '\'' || c == '"' || c == ' '; });
  const auto order = value_of(head, "fortran_order"), shape = value_of(head, "shape");
  if (type.empty() || order.empty() || shape.size() < 2) bad("its head cannot be read");
  if (type.starts_with('[')) bad("is an array of records; save its fields as arrays");
  if (type.find('O') != type.npos)
    bad("holds Python objects, a pickle, which runs code when it is read: refused. Save it as numbers or "
        "with dtype str");
  std::size_t size = 0;
  const auto* digits = type.data() + std::min<std::size_t>(2, type.size());
  const auto [stop, code] = std::from_chars(digits, type.data() + type.size(), size);
  kind_ = type.size() > 1 ? type[1] : '?';
  item_size_ = kind_ == 'U' ? 4 * size : size;
  const bool known =
      code == std::errc() && stop == type.data() + type.size() && size < 100'000 &&
      ((kind_ == 'f' && (size == 4 || size == 8)) ||
       ((kind_ == 'i' || kind_ == 'u') && (size == 1 || size == 2 || size == 4 || size == 8)) ||
       (kind_ == 'b' && size == 1) || (is_text() && size > 0));
  if (!known)
    bad(fmt::format("is of type '{}'; <f4, <f8, whole numbers and texts are read", printable(type)));
  if (type[0] == '>' && item_size_ > 1) bad("is big-endian; save it with astype('<f4')");
  for (std::size_t at = 1; at < shape.size();) {
    const auto begin = shape.find_first_of("0123456789", at);
    if (begin == shape.npos) break;
    if (shape.find_first_not_of(" ,", at) != begin) bad("its shape cannot be read");
    std::int64_t extent = 0;
    const auto [end, wrong] = std::from_chars(shape.data() + begin, shape.data() + shape.size(), extent);
    if (wrong != std::errc()) bad("its shape cannot be read");
    shape_.push_back(extent);
    at = std::size_t(end - shape.data());
  }
  elements_ = 1;
  constexpr auto most = std::int64_t{1} << 40;
  for (const auto extent : shape_) {
    if (extent != 0 && elements_ > most / extent) bad("claims more elements than there can be");
    elements_ *= extent;
  }
  if (order.starts_with("True") && shape_.size() > 1)
    bad("is in Fortran's order; save it with numpy.ascontiguousarray");
}

/// Reads elements into the block; less than asked for only at the end.
std::size_t NpyArray::next_bytes(std::size_t elements) {
  const auto n = std::min<std::size_t>(
      {elements, std::max<std::size_t>(1, block_bytes / item_size_), std::size_t(elements_ - given_)});
  block_.resize(n * item_size_);
  if (bytes_->read(block_) < block_.size()) fail_request("{}: ends early", what_);
  given_ += std::int64_t(n);
  return n;
}

template <class T>
T NpyArray::element(std::size_t i) const {
  T v;
  std::memcpy(&v, block_.data() + i * item_size_, sizeof v);
  return v;
}

double NpyArray::number(std::size_t i) const {
  const auto size = item_size_;
  if (kind_ == 'f') return size == 4 ? double(element<float>(i)) : element<double>(i);
  if (kind_ == 'i')
    return size == 1   ? double(element<std::int8_t>(i))
           : size == 2 ? double(element<std::int16_t>(i))
           : size == 4 ? double(element<std::int32_t>(i))
                       : double(element<std::int64_t>(i));
  return size == 1   ? double(element<std::uint8_t>(i))
         : size == 2 ? double(element<std::uint16_t>(i))
         : size == 4 ? double(element<std::uint32_t>(i))
                     : double(element<std::uint64_t>(i));
}

void NpyArray::floats(std::span<float> out) {
  if (is_text()) fail_request("{}: holds texts, not numbers", what_);
  for (std::size_t done = 0; done < out.size();) {
    const auto n = next_bytes(out.size() - done);
    if (n == 0) fail_request("{}: ends early", what_);
    for (std::size_t i = 0; i < n; ++i) {
      const double v = number(i);
      out[done + i] = float(v);
      if (std::isfinite(v) && std::isinf(out[done + i]))
        fail_request("{}: {} is too large for float32", what_, v);
    }
    done += n;
  }
}

std::vector<std::int64_t> NpyArray::whole_numbers() {
  if (is_text()) fail_request("{}: holds texts, not numbers", what_);
  std::vector<std::int64_t> out;
  while (given_ < elements_) {
    const auto n = next_bytes(std::size_t(elements_ - given_));
    for (std::size_t i = 0; i < n; ++i) {
      const double v = number(i);
      if (!(v == std::floor(v) && std::abs(v) < 1e15))
        fail_request("{}: element {}: {} is not a whole number", what_, out.size(), v);
      out.push_back(std::int64_t(v));
    }
  }
  return out;
}

std::vector<std::string> NpyArray::texts() {
  if (!is_text()) fail_request("{}: holds numbers, not texts", what_);
  if (elements_ > most_texts / std::int64_t(item_size_))
    fail_request("{}: holds more than 1 GiB of text", what_);
  std::vector<std::string> out;
  while (given_ < elements_) {
    const auto n = next_bytes(std::size_t(elements_ - given_));
    for (std::size_t i = 0; i < n; ++i) {
      const char* item = block_.data() + i * item_size_;
      std::string text;
      if (kind_ == 'S') {
        text.assign(item, ::strnlen(item, item_size_));
      } else {
        for (std::size_t c = 0; c < item_size_; c += 4) {
          std::uint32_t point;
          std::memcpy(&point, item + c, 4);
          if (point == 0) break;
          if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
            fail_request("{}: element {} is not text", what_, out.size());
          append_utf8(text, point);
        }
      }
      out.push_back(std::move(text));
    }
  }
  return out;
}

}  // namespace timbre::data
