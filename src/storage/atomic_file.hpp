// Files that are there whole or not at all: written under a temporary name in the same folder, flushed to the
// disk, renamed. A process killed at any moment leaves the earlier file, and at most a `.tmp-*` beside it,
// which the next writer of the same file removes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace timbre::storage {

/// What becomes of a symbolic link where a file is to be. One that a person named is followed; one that lies in a
/// folder of Timbre's own is replaced, since the sender of that folder may have aimed it at another file.
enum class Links { follow, replace };

class AtomicFile {
 public:
  /// Creates the folders on the way. Throws Error where the folder cannot be written, and where the target is there and
  /// not a regular file (a folder, a device).
  explicit AtomicFile(std::filesystem::path target, Links links = Links::follow);
  /// Removes the temporary file unless committed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Where to write.
  const std::filesystem::path& temporary() const { return temporary_; }
  /// What it will be, as messages should name it.
  const std::filesystem::path& target() const { return target_; }
  /// fsync, rename over the target, fsync of the folder. Throws Error.
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  int lock_ = -1;  // held on the temporary: tells it from one a dead process left
  bool committed_ = false;
};

/// Removes what dead writers left in a folder of Timbre's own: every `.tmp-*` that no living writer holds.
void remove_temporaries(const std::filesystem::path& folder);

/// Writes a whole text file atomically.
void write_file(const std::filesystem::path& target, std::string_view text, Links links = Links::follow);

/// The text of a small file of Timbre's own; nothing where it is not there, no regular file (a pipe would be waited
/// for), a symbolic link, or larger than `most` bytes.
std::optional<std::string> read_own_file(const std::filesystem::path& file, std::size_t most = 1 << 16);

/// Renames a damaged file, so that it is out of the way and not lost: DIR/x.h5 becomes DIR/damaged-x.h5, or
/// DIR/damaged-2-x.h5 where that is taken, up to 9; then the ninth is replaced. Returns the new name without its folder. Throws Error.
std::string put_aside(const std::filesystem::path& file);

/// Opens a file of Timbre's own to append to it; makes it. Throws Error: not a regular file, a symbolic link.
int open_to_append(const std::filesystem::path& file);

/// Somebody else works in a folder.
struct InUse : Error {
  using Error::Error;
};

/// The lock of a folder. While it is held, another process that asks learns who holds it.
/// A dead process's lock counts for nothing (flock goes with the process).
class FolderLock {
 public:
  /// Throws InUse "FOLDER is in use by process N on HOST since ...", Error where it cannot be locked.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&&) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace timbre::storage
