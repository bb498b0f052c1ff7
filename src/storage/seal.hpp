// The checksum of Timbre's own HDF5 files, over every byte of them.
//
// It lies in a user block of 512 bytes before the HDF5 part (HDF5, h5py and Keras step over it):
//   timbre-file 1\n  xxh3-128 <32 hexadecimal digits>\n  bytes <size of the whole file>\n  and zeros to the end
// The digits are XXH3 with 128 bits over what follows the block, and the block itself is compared byte by byte.
//
// It proves that the bytes are those that were written, not who wrote them: everyone can write a checksum, so
// a file that a person names is read as a stranger's file all the same (door.hpp).
// Errors: Error where the file cannot be read or written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace timbre::storage {

inline constexpr std::size_t seal_bytes = 512;

enum class Seal {
  none,   // a file without one: of an earlier version, or of another program
  whole,  // every byte is as it was written
  broken  // some byte has changed since, in the block or behind it
};

/// Writes the checksum of a closed file that begins with a user block. Messages name the file as `shown`.
void write_seal(const std::filesystem::path& file, const std::string& shown);

/// Reads every byte. A file that is missing or not regular has none.
Seal read_seal(const std::filesystem::path& file);

}  // namespace timbre::storage
