// HDF5 through one small throwing wrapper; the only file pair that includes hdf5.h is hdf5.cpp.
//
// Every call holds one process-wide lock (the library is built thread-safe, but a file changes in several
// calls), HDF5's own error printing is off, and every failure is an Error that names the file and the object.
// Arrays are row-major, little-endian; datasets are contiguous unless said otherwise (Keras refuses less).
// The same calls give the same bytes: objects carry no times, and the format is fixed (HDF5 1.8's). A file that is
// created carries a checksum over every byte (seal.hpp).
// Of a file that is read, only what lies in it is read: links are not followed, neither inside the file nor out of it,
// storage in other files and virtual datasets are refused, plug-ins are not loaded. What an object claims to hold is
// compared with what the file has room for before memory is taken. Damage may still crash the library: files of others
// are opened behind storage/door.hpp.
// A list of more than 4032 strings as an attribute is cut into name0, name1, ..., as Keras does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/shape.hpp"

namespace timbre::storage {

class AtomicFile;

/// An open HDF5 file; move-only. Paths are absolute inside the file ("/split/train"); groups on the way are
/// created on writing.
class H5File {
 public:
  /// Creates (truncates) a file. The caller writes to a temporary name: see AtomicFile.
  static H5File create(const std::filesystem::path& path);
  /// The temporary of `file`; messages name its target.
  static H5File create(const AtomicFile& file);
  /// Opens for reading. Throws RequestError (not there, not HDF5) or Error (damaged, truncated).
  static H5File open(const std::filesystem::path& path);
  /// Opens an image of a file that lies in memory (a member of an archive); messages call it `path`, which need not be
  /// there. The image is copied. Throws Error: damaged, not HDF5.
  static H5File open_image(const std::filesystem::path& path, std::string_view image);
  H5File(H5File&&) noexcept;
  H5File& operator=(H5File&&) noexcept;
  ~H5File();

  const std::filesystem::path& path() const;
  /// Flushes and closes; throws Error where the disk refuses (the destructor would only log).
  void close();

  // ---- writing
  void group(const std::string& path);
  void write(const std::string& path, std::span<const float> data, const Shape& shape);
  void write(const std::string& path, std::span<const double> data, const Shape& shape);
  void write(const std::string& path, std::span<const std::int32_t> data, const Shape& shape);
  void write(const std::string& path, std::span<const std::int64_t> data, const Shape& shape);
  /// A scalar string (variable length, UTF-8).
  void write_text(const std::string& path, const std::string& text);
  /// A one-dimensional array of strings (variable length, UTF-8; may be empty).
  void write_texts(const std::string& path, const std::vector<std::string>& texts);

  /// Attributes of the object at `path` ("/" for the root), which must exist.
  void attribute(const std::string& path, const std::string& name, const std::string& value);
  void attribute(const std::string& path, const std::string& name, const char* value);
  void attribute(const std::string& path, const std::string& name, std::int64_t value);
  void attribute(const std::string& path, const std::string& name, double value);
  void attribute(const std::string& path, const std::string& name, bool value);  // uint8
  void attribute(const std::string& path, const std::string& name, const std::vector<std::string>& values);
  /// An attribute without elements: float64, shape (0). Keras writes it for layers without weights.
  void empty_attribute(const std::string& path, const std::string& name);

  /// Creates a float32 dataset of full shape to be filled in rows (axis 0) by write_rows.
  void create_rows(const std::string& path, const Shape& shape);
  /// Writes rows [first, first + n) where n = data.size() / (elements of a row).
  void write_rows(const std::string& path, std::int64_t first, std::span<const float> data);

  // ---- reading
  bool exists(const std::string& path) const;
  /// Extents of a dataset.
  Shape shape(const std::string& path) const;
  /// Names of the children of a group, sorted; `is_group` tells what each is.
  struct Child {
    std::string name;
    bool is_group;
  };
  std::vector<Child> children(const std::string& path) const;
  /// "float32", "int32", "string", ... of a dataset.
  std::string type_name(const std::string& path) const;
  std::vector<float> read_floats(const std::string& path) const;
  std::vector<double> read_doubles(const std::string& path) const;
  std::vector<std::int32_t> read_ints(const std::string& path) const;
  std::string read_text(const std::string& path) const;
  std::vector<std::string> read_texts(const std::string& path) const;
  /// Rows [first, first + n) of a float32 dataset into `out`, n = out.size() / (elements of a row).
  void read_rows(const std::string& path, std::int64_t first, std::span<float> out) const;

  /// Where in the file row 0 of a float32 dataset begins, in bytes; its rows follow each other without gaps, little-
  /// endian. Throws Error where it is laid out otherwise.
  std::int64_t rows_offset(const std::string& path) const;

  bool has_attribute(const std::string& path, const std::string& name) const;
  std::string text_attribute(const std::string& path, const std::string& name) const;
  std::int64_t int_attribute(const std::string& path, const std::string& name) const;
  double double_attribute(const std::string& path, const std::string& name) const;
  std::vector<std::string> texts_attribute(const std::string& path, const std::string& name) const;
  /// All attributes of an object as (name, printable value), in order of name; for `inspect`.
  std::vector<std::pair<std::string, std::string>> attributes(const std::string& path) const;

 private:
  static H5File create(const std::filesystem::path& path, const std::filesystem::path& shown);
  struct State;
  explicit H5File(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Throws RequestError where no regular file is there that can be read.
void require_regular_file(const std::filesystem::path& path);

/// fork(), while no other thread is in the library: the child may use it.
int fork_with_hdf5_at_rest();
/// The descriptors of the files that the library has open.
std::vector<int> hdf5_descriptors();

/// Version of the library: "1.10.8".
std::string hdf5_version();

}  // namespace timbre::storage
