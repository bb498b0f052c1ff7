// Files that are there whole or not at all: written under a temporary name in the same folder, flushed to the
// disk, renamed. A process killed at any moment leaves the earlier file, and at most a `.tmp-*` beside it,
// which the next writer of the same file removes: at once if that process was of this machine, after a day if it was of another.
// Temporaries bear the names of their processes (process_name.hpp), since locks hold on one machine only.
#pragma once

#include <cstddef>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace timbre::storage {

/// The treatment of a symbolic link at the place of a file. One that a person named is followed; one that lies in a
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
  /// The final name, for messages.
  const std::filesystem::path& target() const { return target_; }
  /// fsync, rename over the target, fsync of the folder. Throws Error.
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  bool committed_ = false;
};

/// Removes what dead writers left in a folder of Timbre's own: every `.tmp-*` of this machine whose process is dead, and of
/// other machines what is a day old.
void remove_temporaries(const std::filesystem::path& folder);
/// The names of all of them, without removing any.
std::vector<std::filesystem::path> dead_temporaries(const std::filesystem::path& folder);

/// The time of the folder's file server, which need not be this machine's; nothing where it cannot be written.
std::optional<std::time_t> time_in(const std::filesystem::path& folder);

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

}  // namespace timbre::storage
