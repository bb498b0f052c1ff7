// Members of a zip file, as numpy.savez and savez_compressed write them: stored or deflated, with or without zip64.
//
// The central directory is read and checked: members lie inside the file, names are unique. A member is read as a stream; its
// length and its CRC must be those that the directory says. Nothing is unpacked to the disk.
// Errors: RequestError "FILE: ...".
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace timbre::data {

/// Bytes one after the other.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills `out` from the beginning; less only at the end. Throws RequestError.
  virtual std::size_t read(std::span<char> out) = 0;
  /// How many there are in all.
  virtual std::uint64_t size() const = 0;
};

/// A file open for reading at any place.
class OpenFile {
 public:
  /// Throws RequestError.
  explicit OpenFile(const std::filesystem::path& file);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  const std::string& shown() const { return shown_; }
  std::uint64_t size() const { return size_; }
  /// Throws RequestError where the file has not as much.
  void read(std::uint64_t at, std::span<char> out) const;

 private:
  std::string shown_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// Bytes [begin, begin + size) of a file, which must outlive it.
std::unique_ptr<ByteSource> open_part(const OpenFile& file, std::uint64_t begin, std::uint64_t size);

class ZipFile {
 public:
  explicit ZipFile(const std::filesystem::path& file);
  struct Member {
    std::string name;
    std::uint64_t header = 0, packed = 0, size = 0;  // header: where its local header begins
    std::uint32_t crc = 0;
    std::uint16_t method = 0, flags = 0;
  };
  const std::vector<Member>& members() const { return members_; }
  const std::string& shown() const { return file_.shown(); }
  /// `member` and this outlive it.
  std::unique_ptr<ByteSource> open(const Member& member) const;

 private:
  OpenFile file_;
  std::vector<Member> members_;
};

}  // namespace timbre::data
