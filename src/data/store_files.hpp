// What the feature store needs of the file system beyond storage/: hashes of files, rows that wait on disk, and a claim
// per key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "storage/claim.hpp"

namespace timbre::data {

/// Hash of a file's bytes; "" where it cannot be read (which the extraction will say in words).
std::string hash_of_file(const std::filesystem::path& file);

/// Floats on disk under no name: they vanish with the process, however it ends. Move-only; one thread at a time.
class SpillFile {
 public:
  /// In `folder`, which is created. Throws Error.
  explicit SpillFile(const std::filesystem::path& folder);
  ~SpillFile();
  SpillFile(SpillFile&&) noexcept;
  SpillFile& operator=(SpillFile&&) = delete;

  /// Number of floats so far: where the next append begins.
  std::int64_t size() const { return size_; }
  /// Throws Error where the disk is full.
  void append(std::span<const float> values);
  /// Floats from `first` on; they must have been written.
  void read(std::int64_t first, std::span<float> out) const;

 private:
  std::string folder_;  // as messages name it
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

/// Removes the claim of a key that a killed process of this machine left; nothing where a living one holds it.
void remove_dead_lock(const std::filesystem::path& folder, const std::string& key);

/// The claim of one key in a store (storage/claim.hpp): of several that want to extract the same features, on however many
/// machines, one does, and the others wait.
class KeyLock {
 public:
  /// Waits; calls `waiting` every tenth of a second, which may throw.
  KeyLock(const std::filesystem::path& folder, const std::string& key, const std::function<void()>& waiting);

 private:
  std::optional<storage::Claim> claim_;
};

}  // namespace timbre::data
