// Zip archives: NumPy's NPZ and Keras's .keras are some. Members are stored or deflated, with or without zip64.
//
// Read from a stranger's bytes: the central directory is read and checked, members lie inside the file, names are unique, and
// no member claims more than its packed bytes can unfold to. A member is read as a stream; its length and its CRC must be
// those that the directory says. Nothing is unpacked to the disk.
// Written as a stream, stored and without times, so that the same members give the same bytes.
// Errors: BadArchive "FILE: ..."; of the writer Error "FILE: ...", where the disk refuses.
// Source: PKWARE's APPNOTE.TXT 6.3.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "storage/atomic_file.hpp"

namespace timbre::storage {

/// A file that cannot be opened or ends early, and an archive that is damaged.
struct BadArchive : RequestError {
  using RequestError::RequestError;
};

/// Bytes one after the other.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills `out` from the beginning; less only at the end. Throws BadArchive.
  virtual std::size_t read(std::span<char> out) = 0;
  /// How many there are in all.
  virtual std::uint64_t size() const = 0;
};

/// Bytes to be read at any place: of a file, or of memory that outlives this.
class RandomAccess {
 public:
  /// Throws BadArchive.
  explicit RandomAccess(const std::filesystem::path& file);
  RandomAccess(std::string shown, std::string_view bytes);
  ~RandomAccess();
  RandomAccess(const RandomAccess&) = delete;
  RandomAccess& operator=(const RandomAccess&) = delete;
  /// Its name, for messages.
  const std::string& shown() const { return shown_; }
  std::uint64_t size() const { return size_; }
  /// Throws BadArchive where there are not as many.
  void read(std::uint64_t at, std::span<char> out) const;

 private:
  std::string shown_;
  std::string_view bytes_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// Bytes [begin, begin + size), which must outlive it.
std::unique_ptr<ByteSource> open_part(const RandomAccess& bytes, std::uint64_t begin, std::uint64_t size);

/// Whether a file with these first bytes is an archive.
bool looks_like_zip(std::string_view bytes);

class ZipFile {
 public:
  explicit ZipFile(const std::filesystem::path& file) : ZipFile(std::make_unique<RandomAccess>(file)) {}
  explicit ZipFile(std::unique_ptr<RandomAccess> bytes);
  struct Member {
    std::string name;
    std::uint64_t header = 0, packed = 0, size = 0;  // header: where its local header begins
    std::uint32_t crc = 0;
    std::uint16_t method = 0, flags = 0;
  };
  const std::vector<Member>& members() const { return members_; }
  const std::string& shown() const { return bytes_->shown(); }
  /// Null where there is none.
  const Member* find(std::string_view name) const;
  /// `member` and this outlive it.
  std::unique_ptr<ByteSource> open(const Member& member) const;
  /// A whole member. Throws BadArchive: not there, or larger than `most`.
  std::string read(std::string_view name, std::uint64_t most) const;

 private:
  std::unique_ptr<RandomAccess> bytes_;
  std::vector<Member> members_;
};

class ZipWriter {
 public:
  explicit ZipWriter(AtomicFile& file);
  /// Begins a member of this size; `bytes` gives it, in pieces.
  void begin(const std::string& name, std::uint64_t size);
  void bytes(const void* data, std::size_t size);
  /// A whole member.
  void add(const std::string& name, std::string_view bytes);
  /// Writes the directory, and commits the file.
  void finish();

 private:
  struct Member {
    std::string name;
    std::uint64_t at = 0, size = 0, given = 0;
    std::uint32_t crc = 0;
  };
  [[noreturn]] void refuse() const;
  void put(std::string_view text);
  void end();

  AtomicFile& target_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> out_;
  std::vector<Member> members_;
  std::uint64_t at_ = 0;
  bool open_ = false;
};

}  // namespace timbre::storage
