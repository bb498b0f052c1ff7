// Zip archives: what a `.keras` file is. Written without compression and without times, so that the same members give the
// same bytes. Read from a stranger's bytes: sizes are doubted, and checksums compared, before a member is believed.
//
//   member      local header (30 bytes, name), data;   after all: central directory, and its end
// Not read: archives of several parts, encryption, Zip64 (sizes of 4 GiB and more), other compressions than none and
// deflate.
// Errors: Error with the name of the member.
// Source: PKWARE's APPNOTE.TXT 6.3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace timbre::exchange {

struct ZipMember {
  std::string name, bytes;
};
/// The archive of these members, in their order. Throws Error for more than 4 GiB.
std::string zip_archive(const std::vector<ZipMember>& members);

bool looks_like_zip(std::string_view bytes);

class ZipReader {
 public:
  /// Reads the directory. `bytes` must outlive it. Throws Error where it is damaged.
  explicit ZipReader(std::string_view bytes);
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// A member's bytes. Throws Error: not there, damaged, longer than `most`.
  std::string read(std::string_view name, std::uint64_t most) const;

 private:
  struct Entry {
    std::string name;
    std::uint32_t crc = 0, stored = 0, size = 0, offset = 0;
    std::uint16_t flags = 0, method = 0;
  };
  const Entry* find(std::string_view name) const;
  std::string_view bytes_;
  std::vector<Entry> entries_;
};

}  // namespace timbre::exchange
