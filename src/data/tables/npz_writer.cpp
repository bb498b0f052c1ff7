#include "data/tables/npz_writer.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::data {

namespace {

constexpr std::uint64_t small_limit = 0xFFFFFFFFu;  // what does not fit below it is in a zip64 field

std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 255);
  return out;
}

std::string short_of(std::uint64_t value) { return little(std::min(value, small_limit), 4); }

/// Code points of well-formed UTF-8.
std::vector<std::uint32_t> code_points(std::string_view text) {
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const int more = c < 0x80 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    std::uint32_t v = more == 0 ? c : c & (0x3F >> more);
    for (int k = 1; k <= more && i + std::size_t(k) < text.size(); ++k)
      v = v << 6 | (static_cast<unsigned char>(text[i + std::size_t(k)]) & 0x3F);
    out.push_back(v);
    i += std::size_t(more) + 1;
  }
  return out;
}

}  // namespace

NpzWriter::NpzWriter(storage::AtomicFile& file)
    : target_(file), out_(std::fopen(file.temporary().c_str(), "wb"), std::fclose) {
  if (!out_)
    fail("{}: cannot be written: {}", printable(file.target().string()),
         std::generic_category().message(errno));
}

void NpzWriter::put(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), out_.get()) != text.size())
    fail("{}: cannot be written: {}", printable(target_.target().string()),
         std::generic_category().message(errno));
  at_ += text.size();
}

void NpzWriter::begin(const std::string& name, const std::string& type,
                      const std::vector<std::int64_t>& shape, std::uint64_t data_bytes) {
  end();
  std::string head = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type,
                                 fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  head.resize((head.size() + 10 + 1 + 63) / 64 * 64 - 10, ' ');  // data begin at a multiple of 64
  head.back() = '\n';
  head = std::string("\x93NUMPY\x01\x00", 8) + little(head.size(), 2) + head;

  Member m{.name = name + ".npy", .at = at_, .size = head.size() + data_bytes};
  const bool wide = m.size >= small_limit;
  const auto extra =
      wide ? little(1, 2) + little(16, 2) + little(m.size, 8) + little(m.size, 8) : std::string();
  members_.push_back(m);
  // The checksum is filled in at the end of the array.
  put(little(0x04034b50, 4) + little(wide ? 45 : 20, 2) + little(0, 2) + little(0, 2) + little(0, 2) +
      little(0x21, 2) + little(0, 4) + short_of(m.size) + short_of(m.size) + little(m.name.size(), 2) +
      little(extra.size(), 2) + m.name + extra);
  open_ = true;
  bytes(head.data(), head.size());
}

void NpzWriter::bytes(const void* data, std::size_t size) {
  auto& m = members_.back();
  m.crc = std::uint32_t(::crc32_z(m.crc, static_cast<const Bytef*>(data), size));
  m.given += size;
  put({static_cast<const char*>(data), size});
}

void NpzWriter::end() {
  if (!open_) return;
  open_ = false;
  const auto& m = members_.back();
  if (m.given != m.size) throw std::logic_error("an array of another size than it was begun with");
  const auto crc = little(m.crc, 4);
  if (::fseeko(out_.get(), off_t(m.at + 14), SEEK_SET) != 0 ||
      std::fwrite(crc.data(), 1, 4, out_.get()) != 4 || ::fseeko(out_.get(), 0, SEEK_END) != 0)
    fail("{}: cannot be written: {}", printable(target_.target().string()),
         std::generic_category().message(errno));
}

void NpzWriter::begin(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::uint64_t elements = 1;
  for (const auto extent : shape) elements *= std::uint64_t(extent);
  begin(name, "<f4", shape, 4 * elements);
}

void NpzWriter::floats(std::span<const float> values) { bytes(values.data(), values.size_bytes()); }

void NpzWriter::add(const std::string& name, std::span<const std::int64_t> values) {
  begin(name, "<i8", {std::ssize(values)}, values.size_bytes());
  bytes(values.data(), values.size_bytes());
}

void NpzWriter::add(const std::string& name, const std::vector<std::string>& values) {
  std::vector<std::vector<std::uint32_t>> points;
  std::size_t width = 1;
  for (const auto& v : values) {
    points.push_back(code_points(printable(v)));
    width = std::max(width, points.back().size());
  }
  begin(name, fmt::format("<U{}", width), {std::ssize(values)}, 4 * width * values.size());
  for (auto& p : points) {
    p.resize(width, 0);
    bytes(p.data(), 4 * width);
  }
}

void NpzWriter::finish() {
  end();
  const auto begin = at_;
  for (const auto& m : members_) {
    std::string wide;  // size twice, then the place, those that do not fit
    if (m.size >= small_limit) wide += little(m.size, 8) + little(m.size, 8);
    if (m.at >= small_limit) wide += little(m.at, 8);
    if (!wide.empty()) wide = little(1, 2) + little(wide.size(), 2) + wide;
    put(little(0x02014b50, 4) + little(45, 2) + little(wide.empty() ? 20 : 45, 2) + little(0, 2) +
        little(0, 2) + little(0, 2) + little(0x21, 2) + little(m.crc, 4) + short_of(m.size) +
        short_of(m.size) + little(m.name.size(), 2) + little(wide.size(), 2) + little(0, 2) + little(0, 2) +
        little(0, 2) + little(0600u << 16, 4) + short_of(m.at) + m.name + wide);
  }
  const auto size = at_ - begin, count = std::uint64_t(members_.size());
  if (begin >= small_limit) {
    const auto end64 = at_;
    put(little(0x06064b50, 4) + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 4) + little(0, 4) +
        little(count, 8) + little(count, 8) + little(size, 8) + little(begin, 8));
    put(little(0x07064b50, 4) + little(0, 4) + little(end64, 8) + little(1, 4));
  }
  put(little(0x06054b50, 4) + little(0, 2) + little(0, 2) + little(count, 2) + little(count, 2) +
      little(size, 4) + short_of(begin) + little(0, 2));
  if (std::fflush(out_.get()) != 0)
    fail("{}: cannot be written: {}", printable(target_.target().string()),
         std::generic_category().message(errno));
  out_.reset();
  target_.commit();
}

}  // namespace timbre::data
