#include "storage/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/process_name.hpp"

namespace timbre::storage {
namespace fs = std::filesystem;

namespace {

std::string shown(const fs::path& path) { return printable(path.string()); }
std::string reason(int number) { return std::generic_category().message(number); }

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  std::error_code ignored;
  if (error && !fs::is_directory(folder, ignored))
    fail("{}: the folder cannot be created: {}", shown(folder), error.message());
}

/// ".tmp-NAME-": what begins the name of every temporary of a file; a long name is cut to leave room for the
/// rest.
std::string temporary_prefix(const fs::path& target) {
  return ".tmp-" + target.filename().string().substr(0, 180) + "-";
}

/// "1234-0123456789abcdef-5678" of ".tmp-NAME-1234-0123456789abcdef-5678-COUNTER"
std::optional<ProcessName> writer_of(std::string_view name) {
  name = name.substr(0, name.rfind('-'));
  auto begin = name.size();
  for (int part = 0; part < 3 && begin != name.npos && begin > 0; ++part) begin = name.rfind('-', begin - 1);
  return begin == name.npos ? std::nullopt : ProcessName::parse(name.substr(begin + 1));
}

/// When the file server says it was last written; nothing where it is gone.
std::optional<std::time_t> time_of(const fs::path& file) {
  struct stat s {};
  if (::lstat(file.c_str(), &s) != 0) return std::nullopt;
  return s.st_mtime;
}

}  // namespace

std::optional<std::time_t> time_in(const fs::path& folder) {
  auto name = (folder / ".tmp-time-XXXXXX").string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  [[maybe_unused]] const auto written = ::write(descriptor, "x", 1);
  ::close(descriptor);
  const auto out = time_of(name);
  ::unlink(name.c_str());
  return out;
}

namespace {

std::vector<fs::path> left_overs(const fs::path& folder, std::string_view prefix) {
  constexpr std::time_t day = 24 * 3600;
  std::vector<fs::path> out;
  std::optional<std::time_t> now;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const auto writer = writer_of(name);  // none: of an earlier version, or of a moment
    const auto life = writer ? life_of(*writer) : Life::dead;
    if (life == Life::unknown) {
      if (!now) now = time_in(folder);
      const auto written = time_of(it->path());
      if (!now || !written || *now - *written < day) continue;
    }
    if (life != Life::alive) out.push_back(it->path());
  }
  return out;
}

void remove_left_overs(const fs::path& folder, std::string_view prefix) {
  for (const auto& file : left_overs(folder, prefix)) ::unlink(file.c_str());
}

void flush_folder(const fs::path& folder) {
  // Not every file system lets a folder be flushed; the rename itself has happened by now.
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

void write_all(int descriptor, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("{}: cannot be written: {}", shown(path), reason(errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

AtomicFile::AtomicFile(fs::path target, Links links) : target_(std::move(target)) {
  std::error_code error;
  if (links == Links::follow &&
      fs::is_symlink(target_, error)) {  // what it leads to is replaced, not the link
    const auto led_to = fs::weakly_canonical(target_, error);
    if (!error) target_ = led_to;
  }
  const auto folder = folder_of(target_);
  make_folder(folder);
  const auto status =
      links == Links::follow ? fs::status(target_, error) : fs::symlink_status(target_, error);
  if (fs::is_directory(status)) fail("{}: is a folder, not a file", shown(target_));
  // A rename over /dev/null would take the device away from the whole machine.
  if (fs::exists(status) && !fs::is_regular_file(status) && !fs::is_symlink(status))
    fail("{}: is not a regular file, so it is left as it is", shown(target_));
  remove_left_overs(folder, temporary_prefix(target_));
  static std::atomic<unsigned> counter{0};
  for (int descriptor = -1; descriptor < 0;) {
    temporary_ = folder / fmt::format("{}{}-{}", temporary_prefix(target_), this_process().str(), counter++);
    descriptor = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno != EEXIST) fail("{}: cannot be written: {}", shown(target_), reason(errno));
    if (descriptor >= 0) ::close(descriptor);
  }
}

AtomicFile::~AtomicFile() {
  if (!committed_) {
    // Emptied first: a writer that failed may still hold it open, and the room should be free at once.
    [[maybe_unused]] const int emptied = ::truncate(temporary_.c_str(), 0);
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::commit() {
  // What was written under the name, which need not be the descriptor that was opened first.
  const int descriptor = ::open(temporary_.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) fail("{}: cannot be written: {}", shown(target_), reason(errno));
  const int flushed = ::fsync(descriptor);
  const int number = errno;
  ::close(descriptor);
  // EINVAL: a file system that cannot flush, not one that failed to.
  if (flushed < 0 && number != EINVAL) fail("{}: cannot be written: {}", shown(target_), reason(number));
  if (::rename(temporary_.c_str(), target_.c_str()) < 0)
    fail("{}: cannot be replaced: {}", shown(target_), reason(errno));
  committed_ = true;
  flush_folder(folder_of(target_));
}

void remove_temporaries(const fs::path& folder) { remove_left_overs(folder, ".tmp-"); }
std::vector<fs::path> dead_temporaries(const fs::path& folder) { return left_overs(folder, ".tmp-"); }

void write_file(const fs::path& target, std::string_view text, Links links) {
  AtomicFile file(target, links);
  const int descriptor = ::open(file.temporary().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (descriptor < 0) fail("{}: cannot be written: {}", shown(target), reason(errno));
  try {
    write_all(descriptor, text, target);
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  if (::close(descriptor) < 0) fail("{}: cannot be written: {}", shown(target), reason(errno));
  file.commit();
}

std::optional<std::string> read_own_file(const fs::path& file, std::size_t most) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return std::nullopt;
  std::optional<std::string> text;
  struct stat s {};
  if (fstat(descriptor, &s) == 0 && S_ISREG(s.st_mode) && s.st_size <= off_t(most)) {
    text.emplace(std::size_t(s.st_size), '\0');
    const auto got = ::pread(descriptor, text->data(), text->size(), 0);
    text->resize(got > 0 ? std::size_t(got) : 0);
  }
  ::close(descriptor);
  return text;
}

std::string put_aside(const fs::path& file) {
  const auto own = file.filename().string();
  auto name = "damaged-" + own;
  std::error_code ignored;
  for (int n = 2; n < 10 && fs::exists(folder_of(file) / name, ignored); ++n)
    name = fmt::format("damaged-{}-{}", n, own);
  if (::rename(file.c_str(), (folder_of(file) / name).c_str()) < 0)
    fail("{}: cannot be put aside as {}: {}", shown(file), printable(name), reason(errno));
  return name;
}

int open_to_append(const fs::path& file) {
  // (no waiting for the other end of a pipe)
  const int descriptor =
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (descriptor < 0 && errno == ELOOP)
    fail("{}: is a symbolic link, so it is left as it is; remove it", shown(file));
  if (descriptor < 0 && errno != ENXIO) fail("{}: cannot be written: {}", shown(file), reason(errno));
  struct stat s {};
  if (descriptor >= 0 && fstat(descriptor, &s) == 0 && S_ISREG(s.st_mode)) return descriptor;
  if (descriptor >= 0) ::close(descriptor);
  fail("{}: is not a regular file, so it is left as it is; remove it", shown(file));
}

}  // namespace timbre::storage
