#include "storage/seal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"

namespace timbre::storage {

namespace fs = std::filesystem;

namespace {

using namespace std::string_view_literals;

constexpr auto magic = "timbre-file 1\n"sv;
constexpr auto hdf5_signature = "\x89HDF\r\n\x1a\n"sv;
constexpr std::size_t block_bytes = std::size_t{1} << 18;  // fits the second cache

using Block = std::array<char, seal_bytes>;

class Descriptor {
 public:
  /// `shown`: the file's name in messages.
  Descriptor(const fs::path& file, int flags, std::string shown)
      : shown_(std::move(shown)), id_(::open(file.c_str(), flags | O_CLOEXEC | O_NONBLOCK)) {}
  ~Descriptor() {
    if (id_ >= 0) ::close(id_);
  }
  Descriptor(const Descriptor&) = delete;

  bool open() const { return id_ >= 0; }
  /// -1 where it is not a regular file.
  std::int64_t size() const {
    struct stat s {};
    return ::fstat(id_, &s) == 0 && S_ISREG(s.st_mode) ? std::int64_t(s.st_size) : -1;
  }
  /// As many bytes as there are, at most `size`.
  std::size_t read(char* out, std::size_t size, std::int64_t at) const {
    std::size_t done = 0;
    while (done < size) {
      const auto got = ::pread(id_, out + done, size - done, at + std::int64_t(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0)
        throw Unavailable(
            fmt::format("{}: cannot be read: {}", shown_, std::generic_category().message(errno)));
      if (got == 0) break;
      done += std::size_t(got);
    }
    return done;
  }
  void write(const char* bytes, std::size_t size) const {
    for (std::size_t done = 0; done < size;) {
      const auto put = ::pwrite(id_, bytes + done, size - done, std::int64_t(done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail("{}: cannot be written: {}", shown_, std::generic_category().message(errno));
      done += std::size_t(put);
    }
  }
  [[noreturn]] void complain() const {
    fail("{}: cannot be written: {}", shown_, std::generic_category().message(errno));
  }

 private:
  std::string shown_;
  int id_;
};

/// The block that this file must have.
Block sealed_block(const Descriptor& file, std::int64_t size) {
  Hasher hasher;
  std::vector<char> bytes(block_bytes);
  std::int64_t at = seal_bytes;
  while (const auto got = file.read(bytes.data(), bytes.size(), at)) {
    hasher.bytes(bytes.data(), got);
    at += std::int64_t(got);
  }
  const auto text = fmt::format("{}xxh3-128 {}\nbytes {}\n", magic, hasher.hex(), size);
  Block block{};
  std::copy(text.begin(), text.end(), block.begin());
  return block;
}

/// Whether a block that is no seal was once one: most of its first line is there, or an HDF5 part follows it.
bool was_sealed(const Block& block, const Descriptor& file) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < magic.size(); ++i) same += block[i] == magic[i];
  std::array<char, hdf5_signature.size()> next{};
  const auto got = file.read(next.data(), next.size(), seal_bytes);
  return same > magic.size() / 2 || std::string_view(next.data(), got) == hdf5_signature;
}

}  // namespace

void write_seal(const fs::path& path, const std::string& shown) {
  const Descriptor file(path, O_RDWR, shown);
  if (!file.open()) file.complain();
  const auto block = sealed_block(file, file.size());
  file.write(block.data(), block.size());
}

Seal read_seal(const fs::path& path) {
  const Descriptor file(path, O_RDONLY, printable(path.string()));
  const auto size = file.open() ? file.size() : -1;
  if (size < 0) return Seal::none;
  Block block{};
  const auto got = file.read(block.data(), block.size(), 0);
  if (std::string_view(block.data(), got).starts_with(hdf5_signature) || got < magic.size() ||
      !was_sealed(block, file))
    return Seal::none;
  return size > std::int64_t(seal_bytes) && block == sealed_block(file, size) ? Seal::whole : Seal::broken;
}

}  // namespace timbre::storage
