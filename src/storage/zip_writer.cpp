#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <stdexcept>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/zip.hpp"

namespace timbre::storage {

namespace {

constexpr std::uint64_t small_limit = 0xFFFFFFFFu;  // what does not fit below it is in a zip64 field
constexpr std::uint64_t first_day = 0x21;           // 1 January 1980

std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 255);
  return out;
}

std::string short_of(std::uint64_t value) { return little(std::min(value, small_limit), 4); }

}  // namespace

ZipWriter::ZipWriter(AtomicFile& file)
    : target_(file), out_(std::fopen(file.temporary().c_str(), "wb"), std::fclose) {
  if (!out_) refuse();
}

void ZipWriter::refuse() const {
  fail("{}: cannot be written: {}", printable(target_.target().string()),
       std::generic_category().message(errno));
}

void ZipWriter::put(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), out_.get()) != text.size()) refuse();
  at_ += text.size();
}

void ZipWriter::begin(const std::string& name, std::uint64_t size) {
  end();
  const Member m{.name = name, .at = at_, .size = size};
  const bool wide = m.size >= small_limit;
  const auto extra =
      wide ? little(1, 2) + little(16, 2) + little(m.size, 8) + little(m.size, 8) : std::string();
  members_.push_back(m);
  // The checksum is filled in at the end of the member.
  put(little(0x04034b50, 4) + little(wide ? 45 : 20, 2) + little(0, 2) + little(0, 2) + little(0, 2) +
      little(first_day, 2) + little(0, 4) + short_of(m.size) + short_of(m.size) + little(m.name.size(), 2) +
      little(extra.size(), 2) + m.name + extra);
  open_ = true;
}

void ZipWriter::bytes(const void* data, std::size_t size) {
  auto& m = members_.back();
  m.crc = std::uint32_t(::crc32_z(m.crc, static_cast<const Bytef*>(data), size));
  m.given += size;
  put({static_cast<const char*>(data), size});
}

void ZipWriter::add(const std::string& name, std::string_view text) {
  begin(name, text.size());
  bytes(text.data(), text.size());
}

void ZipWriter::end() {
  if (!open_) return;
  open_ = false;
  const auto& m = members_.back();
  if (m.given != m.size) throw std::logic_error("a member of another size than it was begun with");
  const auto crc = little(m.crc, 4);
  if (::fseeko(out_.get(), off_t(m.at + 14), SEEK_SET) != 0 ||
      std::fwrite(crc.data(), 1, 4, out_.get()) != 4 || ::fseeko(out_.get(), 0, SEEK_END) != 0)
    refuse();
}

void ZipWriter::finish() {
  end();
  const auto begin = at_;
  for (const auto& m : members_) {
    std::string wide;  // size twice, then the place, those that do not fit
    if (m.size >= small_limit) wide += little(m.size, 8) + little(m.size, 8);
    if (m.at >= small_limit) wide += little(m.at, 8);
    if (!wide.empty()) wide = little(1, 2) + little(wide.size(), 2) + wide;
    put(little(0x02014b50, 4) + little(45, 2) + little(wide.empty() ? 20 : 45, 2) + little(0, 2) +
        little(0, 2) + little(0, 2) + little(first_day, 2) + little(m.crc, 4) + short_of(m.size) +
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
  if (std::fflush(out_.get()) != 0) refuse();
  out_.reset();
  target_.commit();
}

}  // namespace timbre::storage
