// libhdf5 as hdf5*.cpp use it: its lock, its identifiers with the calls that give them back, types and messages.
// Nothing else includes <hdf5.h>.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/seal.hpp"

namespace timbre::storage {

// References to variable-length strings take 16 bytes each in an attribute, and an attribute ends at 64 kB:
// longer lists are cut into name0, name1, ... as Keras does.
inline constexpr std::size_t strings_per_attribute = 64512 / 16;

// How far a compressed dataset may unfold: to so many bytes, or to so many times what is stored of it.
inline constexpr std::uint64_t unfolded_bytes = std::uint64_t{16} << 20, unfolded_times = 64;
inline constexpr const char* damaged_size = "is damaged: it claims to be larger than the file";
inline constexpr hsize_t user_block = seal_bytes;

/// The process-wide lock. It turns off two habits of HDF5. The library prints its error stack, a setting of each
/// thread. It also closes open files when the process exits, and crashes where they cannot be written; here the owner
/// of a file closes it.
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
inline std::string system_reason() {
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

inline Handle string_type() {
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

inline Handle make_space(const std::vector<std::int64_t>& extents) {
  if (extents.empty()) return {H5Screate(H5S_SCALAR), H5Sclose};
  const std::vector<hsize_t> dims(extents.begin(), extents.end());
  return {H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose};
}

inline std::string type_text(hid_t type) {
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

}  // namespace timbre::storage
