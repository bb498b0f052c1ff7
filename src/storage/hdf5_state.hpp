// An open file: what the methods of H5File are made of. Sizes that a file claims are doubted before memory is taken, and
// neither links nor storage in other files are followed.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <system_error>

#include "storage/hdf5.hpp"
#include "storage/hdf5_handle.hpp"

namespace timbre::storage {

struct H5File::State {
  hid_t file = -1;
  std::filesystem::path path;
  std::string shown;                        // as messages name it
  std::optional<std::uint64_t> image_size;  // of a file in memory
  bool writing = false;
  mutable bool broken = false;         // the disk refused a write: the writer will drop this file
  mutable std::set<std::string> seen;  // objects that are there and no links: asked for once

  ~State() {
    // Closing a file whose parts could not be written crashes in HDF5 1.10 (it frees them twice): such a file is
    // left open, which costs a descriptor until the process ends.
    if (file < 0 || broken) return;
    const Lock lock;
    if (H5Fclose(file) < 0) fmt::print(stderr, "{}: could not be closed{}\n", shown, system_reason());
  }

  [[noreturn]] void fail_at(const std::string& object, std::string_view what) const {
    const auto reason = system_reason();
    broken = broken || (writing && !reason.empty());
    fail("{}: {}: {}{}", shown, printable(object), what, reason);
  }
  void check(bool good, const std::string& object, std::string_view what) const {
    if (!good) fail_at(object, what);
  }
  void check_text(const std::string& object, const std::string& text) const {
    check(text.find('\0') == text.npos, object, "a text with a zero byte cannot be stored");
  }
  static std::string attribute_path(const std::string& path, const std::string& name) {
    return path + "@" + name;
  }

  bool exists(const std::string& object) const {
    if (object == "/" || seen.contains(object)) return true;
    for (std::size_t end = object.find('/', 1);; end = object.find('/', end + 1)) {
      const auto part = object.substr(0, end);
      if (seen.contains(part)) continue;
      H5L_info_t link{};
      if (H5Lget_info(file, part.c_str(), &link, H5P_DEFAULT) < 0) {
        check(H5Lexists(file, part.c_str(), H5P_DEFAULT) <= 0, part, "cannot be read");
        return false;
      }
      check(link.type == H5L_TYPE_HARD, part, "is a link, which is not followed");
      seen.insert(part);
      if (end == object.npos) return true;
    }
  }

  // Groups on the way are made here one by one: those HDF5 makes by itself would carry the time of day.
  void make_groups(const std::string& object) const {
    for (auto end = object.find('/', 1); end != object.npos; end = object.find('/', end + 1)) {
      const auto part = object.substr(0, end);
      if (!exists(part)) make_group(part);
    }
  }
  void make_group(const std::string& group) const {
    const Handle list(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
    H5Pset_obj_track_times(list, false);
    const Handle made(H5Gcreate2(file, group.c_str(), H5P_DEFAULT, list, H5P_DEFAULT), H5Gclose);
    check(made >= 0, group, "the group cannot be created");
  }

  Handle make_dataset(const std::string& object, hid_t type, const std::vector<std::int64_t>& extents) const {
    check(!exists(object), object, "is there already");
    make_groups(object);
    const auto space = make_space(extents);
    const Handle list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_layout(list, H5D_CONTIGUOUS);
    H5Pset_obj_track_times(list, false);
    Handle set(H5Dcreate2(file, object.c_str(), type, space, H5P_DEFAULT, list, H5P_DEFAULT), H5Dclose);
    check(set >= 0, object, "cannot be created");
    return set;
  }

  template <class T>
  void write(const std::string& object, std::span<const T> data, const Shape& shape) const {
    check(std::int64_t(data.size()) == shape.size(), object, "the data do not fill the shape");
    const auto set = make_dataset(object, Types<T>::file(), shape.extents());
    static const T nothing{};
    const T* bytes = data.empty() ? &nothing : data.data();
    check(H5Dwrite(set, Types<T>::memory(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0, object,
          "cannot be written");
  }

  void write_strings(const std::string& object, std::span<const std::string> texts,
                     const std::vector<std::int64_t>& extents) const {
    for (const auto& t : texts) check_text(object, t);
    const auto type = string_type();
    const auto set = make_dataset(object, type, extents);
    if (texts.empty()) return;
    std::vector<const char*> pointers;
    for (const auto& t : texts) pointers.push_back(t.c_str());
    check(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()) >= 0, object,
          "cannot be written");
  }

  Handle open_object(const std::string& object) const {
    Handle opened(exists(object) ? H5Oopen(file, object.c_str(), H5P_DEFAULT) : hid_t{-1}, H5Oclose);
    check(opened >= 0, object, "is not in the file");
    return opened;
  }

  Handle make_attribute(const std::string& object, const std::string& name, hid_t type, hid_t space) const {
    const auto opened = open_object(object);
    if (H5Aexists(opened, name.c_str()) > 0) H5Adelete(opened, name.c_str());
    Handle made(H5Acreate2(opened, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    check(made >= 0, attribute_path(object, name), "the attribute cannot be created");
    return made;
  }
  template <class T>
  void write_number(const std::string& object, const std::string& name, T value) const {
    const auto space = make_space({});
    const auto made = make_attribute(object, name, Types<T>::file(), space);
    check(H5Awrite(made, Types<T>::memory(), &value) >= 0, attribute_path(object, name), "cannot be written");
  }
  void write_string_attribute(const std::string& object, const std::string& name,
                              std::span<const std::string> texts, bool scalar) const {
    for (const auto& t : texts) check_text(attribute_path(object, name), t);
    const auto type = string_type();
    const auto space =
        make_space(scalar ? std::vector<std::int64_t>{} : std::vector{std::int64_t(texts.size())});
    const auto made = make_attribute(object, name, type, space);
    if (texts.empty()) return;
    std::vector<const char*> pointers;
    for (const auto& t : texts) pointers.push_back(t.c_str());
    check(H5Awrite(made, type, pointers.data()) >= 0, attribute_path(object, name), "cannot be written");
  }

  struct Dataset {
    Handle id;
    H5D_layout_t layout;
    operator hid_t() const { return id; }
  };
  Dataset open_dataset(const std::string& object) const {
    Handle set(exists(object) ? H5Dopen2(file, object.c_str(), H5P_DEFAULT) : hid_t{-1}, H5Dclose);
    check(set >= 0, object, exists(object) ? "is not a dataset" : "is not in the file");
    // Before its shape is asked for: a virtual dataset would open its sources to tell it.
    const Handle list(H5Dget_create_plist(set), H5Pclose);
    const auto layout = H5Pget_layout(list);
    check(layout != H5D_VIRTUAL && H5Pget_external_count(list) == 0, object,
          "lies in another file, which is not read");
    return {std::move(set), layout};
  }
  Shape shape_of(hid_t set, const std::string& object) const {
    const Handle space(H5Dget_space(set), H5Sclose);
    const int rank = H5Sget_simple_extent_ndims(space);
    check(rank >= 0 && H5Sget_simple_extent_type(space) != H5S_NULL, object, "has no shape");
    std::vector<hsize_t> dims(rank);
    H5Sget_simple_extent_dims(space, dims.data(), nullptr);
    std::int64_t all = 1;
    for (const auto d : dims)  // (of an empty one, too: what is computed of its rows must not overflow)
      check(d <= hsize_t(INT64_MAX) &&
                !__builtin_mul_overflow(all, std::max<std::int64_t>(std::int64_t(d), 1), &all),
            object, damaged_size);
    return Shape(std::vector<std::int64_t>(dims.begin(), dims.end()));
  }
  /// Number of elements, doubted where they claim to be more than what the file holds of them: a contiguous dataset as
  /// many bytes as the whole file, another a multiple of what is stored of it, as compressed ones may.
  std::size_t count_of(const Dataset& set, hid_t type, const std::string& object) const {
    std::error_code unknown;
    const auto size = image_size ? *image_size : std::filesystem::file_size(path, unknown);
    const auto count = shape_of(set, object).size();
    std::int64_t bytes = 0;
    const bool overflow = __builtin_mul_overflow(count, std::int64_t(H5Tget_size(type)), &bytes);
    const auto most = set.layout == H5D_CONTIGUOUS
                          ? std::uint64_t(size)
                          : std::max(unfolded_bytes, unfolded_times * std::min<std::uint64_t>(
                                                                          H5Dget_storage_size(set), size));
    check(!unknown && (!overflow && std::uint64_t(bytes) <= most), object, damaged_size);
    return static_cast<std::size_t>(count);
  }
  /// The same of an attribute.
  std::size_t count_of_attribute(hid_t type, hid_t space, const std::string& shown_object) const {
    const auto count = H5Sget_simple_extent_type(space) == H5S_NULL ? 0 : H5Sget_simple_extent_npoints(space);
    std::int64_t bytes = 0;
    check(count >= 0 &&
              !__builtin_mul_overflow(std::int64_t(count), std::int64_t(H5Tget_size(type)), &bytes) &&
              std::uint64_t(bytes) <= unfolded_bytes,
          shown_object, damaged_size);
    return static_cast<std::size_t>(count);
  }
  /// A file may hold numbers of other widths, and the library converts those no better.
  void check_number(hid_t type, bool whole, const std::string& object) const {
    const auto kind = H5Tget_class(type);
    check((kind == H5T_FLOAT || kind == H5T_INTEGER) && H5Tget_size(type) <= 8, object,
          "does not hold numbers");
    check(kind == H5T_INTEGER || !whole, object, "does not hold whole numbers");
  }
  template <class T>
  std::vector<T> read(const std::string& object) const {
    const auto set = open_dataset(object);
    const Handle type(H5Dget_type(set), H5Tclose);
    check_number(type, std::is_integral_v<T>, object);
    std::vector<T> out(count_of(set, type, object));
    check(out.empty() || H5Dread(set, Types<T>::memory(), H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data()) >= 0,
          object, "cannot be read");
    return out;
  }

  /// Strings of fixed or variable length out of a dataset or an attribute.
  template <class Read>
  std::vector<std::string> strings(hid_t type, hid_t space, std::size_t count, const std::string& object,
                                   Read read_into) const {
    check(H5Tget_class(type) == H5T_STRING, object, "does not hold text");
    std::vector<std::string> out;
    if (count == 0) return out;
    if (H5Tis_variable_str(type) > 0) {
      Handle memory(H5Tcopy(type), H5Tclose);
      std::vector<char*> pointers(count, nullptr);
      check(read_into(memory, pointers.data()) >= 0, object, "cannot be read");
      for (const char* p : pointers) out.emplace_back(p ? p : "");
      H5Dvlen_reclaim(memory, space, H5P_DEFAULT, pointers.data());
    } else {
      const auto width = H5Tget_size(type);
      std::string bytes(width * count, '\0');
      check(read_into(type, bytes.data()) >= 0, object, "cannot be read");
      for (std::size_t i = 0; i < count; ++i)
        out.emplace_back(bytes.data() + i * width, strnlen(bytes.data() + i * width, width));
    }
    return out;
  }
  std::vector<std::string> read_strings(const std::string& object) const {
    const auto set = open_dataset(object);
    const Handle type(H5Dget_type(set), H5Tclose);
    const Handle space(H5Dget_space(set), H5Sclose);
    return strings(type, space, count_of(set, type, object), object, [&](hid_t memory, void* out) {
      return H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, out);
    });
  }

  Handle open_attribute(const std::string& object, const std::string& name) const {
    const auto opened = open_object(object);
    Handle found(H5Aexists(opened, name.c_str()) > 0 ? H5Aopen(opened, name.c_str(), H5P_DEFAULT) : hid_t{-1},
                 H5Aclose);
    check(found >= 0, object, "has no attribute '" + printable(name) + "'");
    return found;
  }
  std::vector<std::string> read_string_attribute(const std::string& object, const std::string& name) const {
    const auto found = open_attribute(object, name);
    const Handle type(H5Aget_type(found), H5Tclose);
    const Handle space(H5Aget_space(found), H5Sclose);
    const auto count = count_of_attribute(type, space, attribute_path(object, name));
    // Keras's mark of "no names" is an empty float64.
    if (count == 0) return {};
    return strings(type, space, count, attribute_path(object, name),
                   [&](hid_t memory, void* out) { return H5Aread(found, memory, out); });
  }
  template <class T>
  std::vector<T> read_numbers(const std::string& object, const std::string& name) const {
    const auto found = open_attribute(object, name);
    const Handle type(H5Aget_type(found), H5Tclose);
    const Handle space(H5Aget_space(found), H5Sclose);
    const auto kind = H5Tget_class(type);
    check((kind == H5T_INTEGER || (kind == H5T_FLOAT && !std::is_integral_v<T>)) && H5Tget_size(type) <= 8,
          attribute_path(object, name), std::is_integral_v<T> ? "is not a whole number" : "is not a number");
    std::vector<T> out(count_of_attribute(type, space, attribute_path(object, name)));
    check(out.empty() || H5Aread(found, Types<T>::memory(), out.data()) >= 0, attribute_path(object, name),
          "cannot be read");
    return out;
  }
  template <class T>
  T read_number(const std::string& object, const std::string& name) const {
    const auto values = read_numbers<T>(object, name);
    check(values.size() == 1, attribute_path(object, name), "is not a single number");
    return values.front();
  }

  /// Selects rows [first, first + n) of `set` in the file and returns both dataspaces.
  std::pair<Handle, Handle> rows(hid_t set, const std::string& object, std::int64_t first,
                                 std::size_t size) const {
    const auto shape = shape_of(set, object);
    check(shape.rank() > 0, object, "has no rows");
    std::int64_t row = 1;
    for (std::size_t i = 1; i < shape.rank(); ++i)
      row *= shape.extents()[i];  // shape_of has looked at the product
    check(row > 0 && size % row == 0, object, "the data are not whole rows");
    const auto count = static_cast<std::int64_t>(size) / row;
    check(first >= 0 && count <= shape[0] - first, object,
          fmt::format("rows {} to {} are not among its {}", first, first + count, shape[0]));
    Handle space(H5Dget_space(set), H5Sclose);
    std::vector<hsize_t> start(shape.rank(), 0), extent(shape.extents().begin(), shape.extents().end());
    start[0] = first, extent[0] = count;
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr);
    return {std::move(space), make_space({static_cast<std::int64_t>(size)})};
  }
};

}  // namespace timbre::storage
