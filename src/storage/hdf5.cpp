#include "storage/hdf5.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include "storage/atomic_file.hpp"
#include "storage/hdf5_state.hpp"
#include "storage/seal.hpp"

namespace timbre::storage {

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

std::vector<int> hdf5_descriptors() {
  const Lock lock;
  std::vector<int> out;
  const auto count = H5Fget_obj_count(hid_t(H5F_OBJ_ALL), H5F_OBJ_FILE);
  std::vector<hid_t> files(count > 0 ? std::size_t(count) : 0);
  if (!files.empty()) H5Fget_obj_ids(hid_t(H5F_OBJ_ALL), H5F_OBJ_FILE, files.size(), files.data());
  for (const auto file : files) {
    const Handle access(H5Fget_access_plist(file), H5Pclose);
    void* descriptor = nullptr;
    if (H5Pget_driver(access) == H5FD_SEC2 && H5Fget_vfd_handle(file, H5P_DEFAULT, &descriptor) >= 0)
      out.push_back(*static_cast<int*>(descriptor));
  }
  return out;
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

H5File H5File::open_image(const std::filesystem::path& path, std::string_view image) {
  const Lock lock;
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  auto state = std::make_unique<State>();
  state->path = path;
  state->shown = printable(path.string());
  state->image_size = image.size();
  std::string copy(image);  // the library wants to be able to change it
  H5Pset_fapl_core(access, 1 << 16, false);
  H5Pset_file_image(access, copy.data(), copy.size());
  // (A name that no file can have: the library would complain of one that is there.)
  state->file = H5Fopen("/dev/null/image", H5F_ACC_RDONLY, access);
  if (state->file < 0) fail("{}: is no HDF5 file, or damaged", state->shown);
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

std::string hdf5_version() {
  const Lock lock;
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace timbre::storage
