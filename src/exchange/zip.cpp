#include "exchange/zip.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::exchange {

namespace {

constexpr std::uint32_t local_mark = 0x04034b50, entry_mark = 0x02014b50, end_mark = 0x06054b50;
constexpr std::size_t local_bytes = 30, entry_bytes = 46, end_bytes = 22;
constexpr std::uint16_t first_day = 0x21;  // 1 January 1980
constexpr std::size_t most_members = 10'000;

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += char((value >> (8 * i)) & 0xff);
}

std::uint64_t get(std::string_view bytes, std::size_t at, int count) {
  std::uint64_t value = 0;
  for (int i = 0; i < count; ++i)
    value |= std::uint64_t(static_cast<unsigned char>(bytes[at + std::size_t(i)])) << (8 * i);
  return value;
}

std::uint32_t checksum(std::string_view bytes) {
  auto crc = crc32(0, nullptr, 0);
  for (std::size_t at = 0; at < bytes.size();) {
    const auto n = std::min<std::size_t>(bytes.size() - at, 1u << 30);
    crc = crc32(crc, reinterpret_cast<const Bytef*>(bytes.data() + at), uInt(n));
    at += n;
  }
  return std::uint32_t(crc);
}

/// Deflate's raw stream, which must unfold to exactly `size` bytes.
std::string unfold(std::string_view stored, std::size_t size, const std::string& shown) {
  std::string out(size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail("{}: cannot be unfolded", shown);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stored.data()));
  stream.avail_in = uInt(stored.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = uInt(out.size());
  const int ended = inflate(&stream, Z_FINISH);
  const bool whole = ended == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  if (!whole) fail("{}: is damaged: it does not unfold to the size that it claims", shown);
  return out;
}

[[noreturn]] void damaged() { fail("the archive is damaged or cut short"); }

}  // namespace

std::string zip_archive(const std::vector<ZipMember>& members) {
  std::string out, directory;
  std::uint64_t all = 0;
  for (const auto& m : members) all += m.bytes.size() + 2 * m.name.size() + local_bytes + entry_bytes;
  if (all > std::numeric_limits<std::uint32_t>::max() - end_bytes)
    fail("the model takes {} MB; a .keras file holds at most 4,294", grouped(std::int64_t(all / 1'000'000)));
  out.reserve(std::size_t(all) + end_bytes);
  for (const auto& [name, bytes] : members) {
    const auto offset = out.size();
    std::string common;
    put(common, 20, 2), put(common, 0, 2), put(common, 0, 2);  // version needed, flags, no compression
    put(common, 0, 2), put(common, first_day, 2), put(common, checksum(bytes), 4);
    put(common, bytes.size(), 4), put(common, bytes.size(), 4), put(common, name.size(), 2),
        put(common, 0, 2);
    put(out, local_mark, 4);
    out += common + name + bytes;
    put(directory, entry_mark, 4), put(directory, 20, 2);  // version made by
    directory += common;
    put(directory, 0, 2), put(directory, 0, 2), put(directory, 0, 2), put(directory, 0, 4);
    put(directory, offset, 4);
    directory += name;
  }
  const auto begin = out.size();
  out += directory;
  put(out, end_mark, 4), put(out, 0, 2), put(out, 0, 2);
  put(out, members.size(), 2), put(out, members.size(), 2);
  put(out, directory.size(), 4), put(out, begin, 4), put(out, 0, 2);
  return out;
}

bool looks_like_zip(std::string_view bytes) { return bytes.size() >= 4 && get(bytes, 0, 4) == local_mark; }

ZipReader::ZipReader(std::string_view bytes) : bytes_(bytes) {
  // The end lies at the end, before a comment of up to 64 kB.
  std::size_t end = std::string_view::npos;
  for (std::size_t back = end_bytes; back <= std::min<std::size_t>(bytes.size(), end_bytes + 0xffff); ++back)
    if (get(bytes, bytes.size() - back, 4) == end_mark) {
      end = bytes.size() - back;
      break;
    }
  if (end == std::string_view::npos) damaged();
  const auto count = get(bytes, end + 10, 2), begin = get(bytes, end + 16, 4);
  if (get(bytes, end + 4, 2) != 0) fail("the archive has several parts, which are not read");
  if (count > most_members || begin == 0xffffffff) fail("the archive is larger than what is read");
  auto at = std::size_t(begin);
  for (std::size_t i = 0; i < count; ++i) {
    if (at > end || end - at < entry_bytes || get(bytes, at, 4) != entry_mark) damaged();
    Entry e;
    e.flags = std::uint16_t(get(bytes, at + 8, 2)), e.method = std::uint16_t(get(bytes, at + 10, 2));
    e.crc = std::uint32_t(get(bytes, at + 16, 4)), e.stored = std::uint32_t(get(bytes, at + 20, 4));
    e.size = std::uint32_t(get(bytes, at + 24, 4)), e.offset = std::uint32_t(get(bytes, at + 42, 4));
    const auto name = std::size_t(get(bytes, at + 28, 2));
    const auto rest = name + std::size_t(get(bytes, at + 30, 2)) + std::size_t(get(bytes, at + 32, 2));
    if (end - at - entry_bytes < rest) damaged();
    e.name = bytes.substr(at + entry_bytes, name);
    entries_.push_back(std::move(e));
    at += entry_bytes + rest;
  }
}

std::vector<std::string> ZipReader::names() const {
  std::vector<std::string> out;
  for (const auto& e : entries_) out.push_back(e.name);
  return out;
}

const ZipReader::Entry* ZipReader::find(std::string_view name) const {
  const auto it =
      std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.name == name; });
  return it == entries_.end() ? nullptr : &*it;
}

std::string ZipReader::read(std::string_view name, std::uint64_t most) const {
  const auto shown = printable(name);
  const auto* e = find(name);
  if (!e) fail("{}: is not in the archive", shown);
  if (e->flags & 1) fail("{}: is encrypted", shown);
  if (e->size == 0xffffffff || e->stored == 0xffffffff) fail("{}: is larger than what is read", shown);
  if (e->size > most)
    fail("{}: claims {} bytes; {} are the limit", shown, grouped(e->size), grouped(std::int64_t(most)));
  const auto at = std::size_t(e->offset);
  if (bytes_.size() < local_bytes || at > bytes_.size() - local_bytes || get(bytes_, at, 4) != local_mark)
    damaged();
  const auto begin =
      at + local_bytes + std::size_t(get(bytes_, at + 26, 2)) + std::size_t(get(bytes_, at + 28, 2));
  if (begin > bytes_.size() || bytes_.size() - begin < e->stored) damaged();
  const auto stored = bytes_.substr(begin, e->stored);
  std::string out;
  if (e->method == 0) {
    if (e->stored != e->size) fail("{}: is damaged: its sizes differ", shown);
    out = stored;
  } else if (e->method == 8) {
    // Deflate unfolds a byte to 1032 at most.
    if (e->size / 1032 > e->stored)
      fail("{}: is damaged: it claims to be larger than it can unfold to", shown);
    out = unfold(stored, e->size, shown);
  } else {
    fail("{}: is compressed by method {}, which is not read", shown, e->method);
  }
  if (checksum(out) != e->crc) fail("{}: is damaged: its checksum does not fit", shown);
  return out;
}

}  // namespace timbre::exchange
