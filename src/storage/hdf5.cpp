#include "storage/hdf5.hpp"

#include <fcntl.h>
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/atomic_file.hpp"
#include "storage/seal.hpp"

namespace timbre::storage {
namespace {

// References to variable-length strings take 16 bytes each in an attribute, and an attribute ends at 64 kB:
// longer lists are cut into name0, name1, ... as Keras does.
constexpr std::size_t strings_per_attribute = 64512 / 16;

// What a dataset that is not stored as it stands may unfold to: so many bytes, or so many times what is stored of it.
constexpr std::uint64_t unfolded_bytes = std::uint64_t{16} << 20, unfolded_times = 64;
constexpr const char* damaged_size = "is damaged: it claims to be larger than the file";
constexpr hsize_t user_block = seal_bytes;

/// The process-wide lock. HDF5 prints its error stack unless told otherwise, and is told per thread.
/// It also wants to close what is open when the process exits, and crashes where that cannot be written: every file
/// here is closed by its owner, so it is told not to.
class Lock {
 public:
  static std::recursive_mutex& mutex() {
    static auto& m = *new std::recursive_mutex;  // outlives every file closed by a static destructor
    return m;
  }
  Lock() : guard_(mutex()) {
    static const bool prepared = prepare();
    (void)prepared;
    static thread_local const bool silent = (H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr), true);
    (void)silent;
    H5Eclear2(H5E_DEFAULT);
  }

 private:
  /// A file must not make the library read others or run code: links out of files are unknown to it, and so are filters
  /// that it would have to load.
  static bool prepare() {
    const bool passive_at_exit = H5dont_atexit() >= 0;
    return H5Lunregister(H5L_TYPE_EXTERNAL) >= 0 && H5PLset_loading_state(0) >= 0 && passive_at_exit;
  }
  std::lock_guard<std::recursive_mutex> guard_;
};

/// An identifier with the call that gives it back.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

/// What the operating system said, out of the innermost entry of HDF5's error stack: ": No space left ..." or
/// "".
std::string system_reason() {
  std::string text;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned, const H5E_error2_t* entry, void* out) -> herr_t {
        const std::string_view desc = entry->desc ? entry->desc : "";
        constexpr std::string_view mark = "error message = '";
        if (const auto at = desc.find(mark); at != desc.npos) {
          const auto rest = desc.substr(at + mark.size());
          *static_cast<std::string*>(out) = ": " + std::string(rest.substr(0, rest.find('\'')));
          return 1;
        }
        return 0;
      },
      &text);
  return text;
}

Handle string_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

template <class T>
struct Types;
template <>
struct Types<float> {
  static hid_t file() { return H5T_IEEE_F32LE; }
  static hid_t memory() { return H5T_NATIVE_FLOAT; }
};
template <>
struct Types<double> {
  static hid_t file() { return H5T_IEEE_F64LE; }
  static hid_t memory() { return H5T_NATIVE_DOUBLE; }
};
template <>
struct Types<std::int32_t> {
  static hid_t file() { return H5T_STD_I32LE; }
  static hid_t memory() { return H5T_NATIVE_INT32; }
};
template <>
struct Types<std::int64_t> {
  static hid_t file() { return H5T_STD_I64LE; }
  static hid_t memory() { return H5T_NATIVE_INT64; }
};
template <>
struct Types<std::uint8_t> {
  static hid_t file() { return H5T_STD_U8LE; }
  static hid_t memory() { return H5T_NATIVE_UINT8; }
};

Handle make_space(const std::vector<std::int64_t>& extents) {
  if (extents.empty()) return {H5Screate(H5S_SCALAR), H5Sclose};
  const std::vector<hsize_t> dims(extents.begin(), extents.end());
  return {H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose};
}

std::string type_text(hid_t type) {
  const auto bits = H5Tget_size(type) * 8;
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return fmt::format("float{}", bits);
    case H5T_INTEGER:
      return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
    case H5T_STRING:
      return "string";
    default:
      return "other";
  }
}

}  // namespace

struct H5File::State {
  hid_t file = -1;
  std::filesystem::path path;
  std::string shown;  // as messages name it
  bool writing = false;
  mutable bool broken = false;         // the disk refused a write: whoever writes will drop this file
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
    const auto size = std::filesystem::file_size(path, unknown);
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
  /// Numbers of other widths exist, and the library's conversions of them are no better for it.
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

H5File::H5File(std::unique_ptr<State> state) : state_(std::move(state)) {}
H5File::H5File(H5File&&) noexcept = default;
H5File& H5File::operator=(H5File&&) noexcept = default;
H5File::~H5File() = default;

H5File H5File::create(const std::filesystem::path& path) { return create(path, path); }
H5File H5File::create(const AtomicFile& file) { return create(file.temporary(), file.target()); }

H5File H5File::create(const std::filesystem::path& path, const std::filesystem::path& shown) {
  const Lock lock;
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose), access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_obj_track_times(creation, false);
  H5Pset_userblock(creation, user_block);  // for the checksum
  // One format, whatever library wrote it: 1.8's, which every reader in use knows.
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  // Locks are our own affair (AtomicFile holds one on this very file), and some file systems have none.
  H5Pset_file_locking(access, false, true);
  auto state = std::make_unique<State>();
  state->path = path;
  state->shown = printable(shown.string());
  state->writing = true;
  state->file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access);
  if (state->file < 0) fail("{}: cannot be created{}", state->shown, system_reason());
  return H5File(std::move(state));
}

void require_regular_file(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  const auto shown = printable(path.string());
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) fail_request("{}: no such file", shown);
  if (error) fail_request("{}: {}", shown, error.message());
  if (fs::is_directory(status)) fail_request("{}: is a folder, not a file", shown);
  if (!fs::is_regular_file(status)) fail_request("{}: is not a regular file", shown);
  const int readable = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (readable < 0) {
    const auto reason = fmt::format("{}: {}", shown, std::generic_category().message(errno));
    if (errno == ENOENT || errno == EACCES || errno == EPERM) throw RequestError(reason);
    throw Unavailable(reason);
  }
  ::close(readable);
}

int fork_with_hdf5_at_rest() {
  auto& mutex = Lock::mutex();
  mutex.lock();
  const auto child = ::fork();
  if (child == 0)
    new (&mutex) std::recursive_mutex;  // the old one belongs to a thread of the parent
  else
    mutex.unlock();
  return child;
}

H5File H5File::open(const std::filesystem::path& path) {
  require_regular_file(path);
  const auto shown = printable(path.string());
  const Lock lock;
  if (H5Fis_hdf5(path.c_str()) <= 0) fail_request("{}: is not an HDF5 file", shown);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_file_locking(access, false, true);
  auto state = std::make_unique<State>();
  state->path = path;
  state->shown = shown;
  state->file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access);
  if (state->file < 0) fail("{}: is damaged or cut short{}", shown, system_reason());
  return H5File(std::move(state));
}

const std::filesystem::path& H5File::path() const { return state_->path; }

void H5File::close() {
  const Lock lock;
  if (state_->file < 0) return;
  const auto refused = [&] { fail("{}: cannot be written{}", state_->shown, system_reason()); };
  if (H5Fflush(state_->file, H5F_SCOPE_LOCAL) < 0) {
    state_->broken = state_->writing;
    refused();
  }
  if (H5Fclose(std::exchange(state_->file, -1)) < 0) refused();
  if (state_->writing) write_seal(state_->path, state_->shown);
}

// ---- writing

void H5File::group(const std::string& path) {
  const Lock lock;
  state_->make_groups(path);
  if (!state_->exists(path)) state_->make_group(path);
}
void H5File::write(const std::string& path, std::span<const float> data, const Shape& shape) {
  const Lock lock;
  state_->write(path, data, shape);
}
void H5File::write(const std::string& path, std::span<const double> data, const Shape& shape) {
  const Lock lock;
  state_->write(path, data, shape);
}
void H5File::write(const std::string& path, std::span<const std::int32_t> data, const Shape& shape) {
  const Lock lock;
  state_->write(path, data, shape);
}
void H5File::write(const std::string& path, std::span<const std::int64_t> data, const Shape& shape) {
  const Lock lock;
  state_->write(path, data, shape);
}
void H5File::write_text(const std::string& path, const std::string& text) {
  const Lock lock;
  state_->write_strings(path, {&text, 1}, {});
}
void H5File::write_texts(const std::string& path, const std::vector<std::string>& texts) {
  const Lock lock;
  state_->write_strings(path, texts, {static_cast<std::int64_t>(texts.size())});
}

void H5File::attribute(const std::string& path, const std::string& name, const std::string& value) {
  const Lock lock;
  state_->write_string_attribute(path, name, {&value, 1}, true);
}
void H5File::attribute(const std::string& path, const std::string& name, const char* value) {
  attribute(path, name, std::string(value));
}
void H5File::attribute(const std::string& path, const std::string& name, std::int64_t value) {
  const Lock lock;
  state_->write_number(path, name, value);
}
void H5File::attribute(const std::string& path, const std::string& name, double value) {
  const Lock lock;
  state_->write_number(path, name, value);
}
void H5File::attribute(const std::string& path, const std::string& name, bool value) {
  const Lock lock;
  state_->write_number(path, name, static_cast<std::uint8_t>(value));
}
void H5File::attribute(const std::string& path, const std::string& name,
                       const std::vector<std::string>& values) {
  const Lock lock;
  if (values.size() <= strings_per_attribute)
    return state_->write_string_attribute(path, name, values, false);
  const std::span<const std::string> all(values);
  for (std::size_t first = 0, part = 0; first < all.size(); first += strings_per_attribute, ++part)
    state_->write_string_attribute(path, name + std::to_string(part),
                                   all.subspan(first, std::min(strings_per_attribute, all.size() - first)),
                                   false);
}
void H5File::empty_attribute(const std::string& path, const std::string& name) {
  const Lock lock;
  const auto space = make_space({0});
  state_->make_attribute(path, name, H5T_IEEE_F64LE, space);
}

void H5File::create_rows(const std::string& path, const Shape& shape) {
  const Lock lock;
  state_->make_dataset(path, H5T_IEEE_F32LE, shape.extents());
}
void H5File::write_rows(const std::string& path, std::int64_t first, std::span<const float> data) {
  const Lock lock;
  if (data.empty()) return;
  const auto set = state_->open_dataset(path);
  const auto [space, memory] = state_->rows(set, path, first, data.size());
  state_->check(H5Dwrite(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, data.data()) >= 0, path,
                "cannot be written");
}

// ---- reading

bool H5File::exists(const std::string& path) const {
  const Lock lock;
  return state_->exists(path);
}
Shape H5File::shape(const std::string& path) const {
  const Lock lock;
  return state_->shape_of(state_->open_dataset(path), path);
}
std::vector<H5File::Child> H5File::children(const std::string& path) const {
  const Lock lock;
  const auto opened = state_->open_object(path);
  state_->check(H5Iget_type(opened) == H5I_GROUP, path, "is not a group");
  H5G_info_t info{};
  state_->check(H5Gget_info(opened, &info) >= 0, path, "cannot be read");
  std::vector<Child> out;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const auto length =
        H5Lget_name_by_idx(opened, ".", H5_INDEX_NAME, H5_ITER_INC, i, nullptr, 0, H5P_DEFAULT);
    state_->check(length >= 0, path, "cannot be read");
    std::string name(length + 1, '\0');
    H5Lget_name_by_idx(opened, ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT);
    name.pop_back();
    H5L_info_t link{};
    H5O_info_t object{};
    state_->check(H5Lget_info(opened, name.c_str(), &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD,
                  path == "/" ? "/" + name : path + "/" + name, "is a link, which is not followed");
    if (H5Oget_info_by_name2(opened, name.c_str(), &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0) continue;
    out.push_back({std::move(name), object.type == H5O_TYPE_GROUP});
  }
  return out;
}
std::string H5File::type_name(const std::string& path) const {
  const Lock lock;
  const auto set = state_->open_dataset(path);
  return type_text(Handle(H5Dget_type(set), H5Tclose));
}
std::vector<float> H5File::read_floats(const std::string& path) const {
  const Lock lock;
  return state_->read<float>(path);
}
std::vector<double> H5File::read_doubles(const std::string& path) const {
  const Lock lock;
  return state_->read<double>(path);
}
std::vector<std::int32_t> H5File::read_ints(const std::string& path) const {
  const Lock lock;
  return state_->read<std::int32_t>(path);
}
std::string H5File::read_text(const std::string& path) const {
  const Lock lock;
  const auto all = state_->read_strings(path);
  state_->check(all.size() == 1, path, "is not a single text");
  return all.front();
}
std::vector<std::string> H5File::read_texts(const std::string& path) const {
  const Lock lock;
  return state_->read_strings(path);
}
void H5File::read_rows(const std::string& path, std::int64_t first, std::span<float> out) const {
  const Lock lock;
  if (out.empty()) return;
  const auto set = state_->open_dataset(path);
  const auto [space, memory] = state_->rows(set, path, first, out.size());
  state_->check(H5Dread(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, out.data()) >= 0, path,
                "cannot be read");
}

std::int64_t H5File::rows_offset(const std::string& path) const {
  const Lock lock;
  const auto set = state_->open_dataset(path);
  const Handle type(H5Dget_type(set), H5Tclose);
  const auto offset = H5Dget_offset(set);
  state_->check(offset != HADDR_UNDEF && H5Tequal(type, H5T_IEEE_F32LE) > 0, path,
                "is not laid out as rows of float32");
  return std::int64_t(offset);
}

bool H5File::has_attribute(const std::string& path, const std::string& name) const {
  const Lock lock;
  return state_->exists(path) && H5Aexists_by_name(state_->file, path.c_str(), name.c_str(), H5P_DEFAULT) > 0;
}
std::string H5File::text_attribute(const std::string& path, const std::string& name) const {
  const Lock lock;
  const auto all = state_->read_string_attribute(path, name);
  state_->check(all.size() == 1, State::attribute_path(path, name), "is not a single text");
  return all.front();
}
std::int64_t H5File::int_attribute(const std::string& path, const std::string& name) const {
  const Lock lock;
  return state_->read_number<std::int64_t>(path, name);
}
double H5File::double_attribute(const std::string& path, const std::string& name) const {
  const Lock lock;
  return state_->read_number<double>(path, name);
}
std::vector<std::string> H5File::texts_attribute(const std::string& path, const std::string& name) const {
  const Lock lock;
  if (has_attribute(path, name) || !has_attribute(path, name + "0"))
    return state_->read_string_attribute(path, name);
  std::vector<std::string> out;
  for (int part = 0; has_attribute(path, name + std::to_string(part)); ++part)
    for (auto& text : state_->read_string_attribute(path, name + std::to_string(part)))
      out.push_back(std::move(text));
  return out;
}
std::vector<std::pair<std::string, std::string>> H5File::attributes(const std::string& path) const {
  const Lock lock;
  const auto opened = state_->open_object(path);
  std::vector<std::string> names;
  H5Aiterate2(
      opened, H5_INDEX_NAME, H5_ITER_INC, nullptr,
      [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
        static_cast<std::vector<std::string>*>(out)->emplace_back(name);
        return 0;
      },
      &names);
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& name : names) {
    const auto found = state_->open_attribute(path, name);
    const Handle type(H5Aget_type(found), H5Tclose);
    const Handle space(H5Aget_space(found), H5Sclose);
    std::vector<std::string> parts;
    switch (H5Tget_class(type)) {
      case H5T_STRING:
        parts = state_->read_string_attribute(path, name);
        break;
      case H5T_INTEGER:
        for (const auto v : state_->read_numbers<std::int64_t>(path, name))
          parts.push_back(std::to_string(v));
        break;
      case H5T_FLOAT:
        for (const auto v : state_->read_numbers<double>(path, name)) parts.push_back(number_text(v));
        break;
      default:
        parts = {"(" + type_text(type) + ")"};
    }
    const bool scalar = H5Sget_simple_extent_type(space) == H5S_SCALAR && parts.size() == 1;
    out.emplace_back(name, scalar ? parts.front() : "[" + join(parts) + "]");
  }
  return out;
}

std::string hdf5_version() {
  const Lock lock;
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace timbre::storage
