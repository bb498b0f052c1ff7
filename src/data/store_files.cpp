#include "data/store_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"

namespace timbre::data {

namespace fs = std::filesystem;

namespace {

std::string reason(int number) { return std::generic_category().message(number); }

void make_folder(const fs::path& folder) {
  std::error_code error, ignored;
  fs::create_directories(folder, error);
  if (error && !fs::is_directory(folder, ignored))
    fail("{}: the folder cannot be created: {}", printable(folder.string()), error.message());
}

}  // namespace

std::string hash_of_file(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return "";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "rb"), std::fclose);
  if (!in) return "";
  std::setvbuf(in.get(), nullptr, _IONBF, 0);
  std::vector<char> block(1 << 20);
  Hasher hasher;
  for (std::size_t n; (n = std::fread(block.data(), 1, block.size(), in.get())) > 0;)
    hasher.bytes(block.data(), n);
  return std::ferror(in.get()) ? "" : hasher.hex();
}

SpillFile::SpillFile(const fs::path& folder) : folder_(printable(folder.string())) {
  make_folder(folder);
  descriptor_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor_ >= 0) return;
  // Not every file system can do that: the name is taken away right after.
  auto name = (folder / ".tmp-rows-XXXXXX").string();
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail("{}: cannot be written: {}", folder_, reason(errno));
  ::unlink(name.c_str());
}

SpillFile::~SpillFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

SpillFile::SpillFile(SpillFile&& other) noexcept
    : folder_(std::move(other.folder_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

void SpillFile::append(std::span<const float> values) {
  auto bytes = std::as_bytes(values);
  auto at = static_cast<off_t>(size_ * std::int64_t{sizeof(float)});
  while (!bytes.empty()) {
    const auto written = ::pwrite(descriptor_, bytes.data(), bytes.size(), at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("{}: cannot be written: {}", folder_, reason(written < 0 ? errno : ENOSPC));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    at += written;
  }
  size_ += std::ssize(values);
}

void SpillFile::read(std::int64_t first, std::span<float> out) const {
  auto bytes = std::as_writable_bytes(out);
  auto at = static_cast<off_t>(first * std::int64_t{sizeof(float)});
  while (!bytes.empty()) {
    const auto got = ::pread(descriptor_, bytes.data(), bytes.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      fail("{}: cannot be read: {}", folder_, got < 0 ? reason(errno) : "a temporary file was cut short");
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    at += got;
  }
}

namespace {

fs::path lock_file(const fs::path& folder, const std::string& key) { return folder / (key + ".lock"); }

}  // namespace

void remove_dead_lock(const fs::path& folder, const std::string& key) {
  storage::remove_dead_claim(lock_file(folder, key));
}

KeyLock::KeyLock(const fs::path& folder, const std::string& key, const std::function<void()>& waiting) {
  make_folder(folder);
  storage::ClaimWatch watch;
  for (;;) {
    if (auto taken = storage::Claim::take(lock_file(folder, key), watch)) {
      claim_.emplace(std::move(*taken));
      return;
    }
    if (waiting) waiting();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace timbre::data
