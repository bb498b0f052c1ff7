// Archives for tests, as bytes.
#pragma once

#include <string>
#include <vector>

#include "storage/temporary_folder.hpp"
#include "storage/zip.hpp"

namespace timbre::test {

struct ZipMember {
  std::string name, bytes;
};

inline std::string zip_archive(const std::vector<ZipMember>& members) {
  const TemporaryFolder folder;
  storage::AtomicFile file(folder / "a.zip");
  storage::ZipWriter zip(file);
  for (const auto& m : members) zip.add(m.name, m.bytes);
  zip.finish();
  return bytes_of(folder / "a.zip");
}

/// `bytes` must outlive it.
inline storage::ZipFile zip_of(std::string_view bytes) {
  return storage::ZipFile(std::make_unique<storage::RandomAccess>("a.zip", bytes));
}

}  // namespace timbre::test
