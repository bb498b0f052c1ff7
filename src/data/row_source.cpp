#include "data/row_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::data {

void RowSource::read(std::int32_t row, float* out) const {
  fetch(row, out);
  if (!standardisation_.mean.empty()) standardise_frames(standardisation_, {out, std::size_t(width())});
}

void MemoryRows::fetch(std::int32_t row, float* out) const {
  std::memcpy(out, data_ + row * width_, std::size_t(width_) * sizeof(float));
}

StoreRows::StoreRows(const std::filesystem::path& file, std::int64_t rows, std::int64_t width,
                     std::int64_t offset)
    : file_(file), offset_(offset), rows_(rows), width_(width) {
  descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail("{}: {}", printable(file.string()), std::generic_category().message(errno));
  const auto size = std::int64_t(::lseek(descriptor_, 0, SEEK_END));
  std::int64_t bytes = 0;
  if (rows < 0 || width < 1 || offset < 0 || __builtin_mul_overflow(rows, width, &bytes) ||
      bytes > (size - offset) / std::int64_t(sizeof(float))) {
    ::close(descriptor_);
    fail("{}: has no room for {} rows of {} features", printable(file.string()), rows, width);
  }
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_RANDOM);  // rows come shuffled: reading on would read in vain
}

StoreRows::~StoreRows() { ::close(descriptor_); }

void StoreRows::fetch(std::int32_t row, float* out) const { read_rows(row, {out, std::size_t(width_)}); }

void StoreRows::read_rows(std::int64_t first, std::span<float> out) const {
  const auto bytes = out.size_bytes();
  const auto at = off_t(offset_ + first * width_ * std::int64_t(sizeof(float)));
  for (std::size_t done = 0; done < bytes;) {
    const auto n =
        ::pread(descriptor_, reinterpret_cast<char*>(out.data()) + done, bytes - done, at + off_t(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      fail("{}: row {} of the features cannot be read: {}", printable(file_.string()),
           first + std::int64_t(done / sizeof(float)) / width_,
           n == 0 ? "the file ends before it" : std::generic_category().message(errno));
    done += std::size_t(n);
  }
}

void StoreRows::prefetch(std::span<const std::int32_t> rows) const {
  const auto bytes = width_ * std::int64_t(sizeof(float));
  for (const auto row : rows)
    ::posix_fadvise(descriptor_, off_t(offset_ + row * bytes), off_t(bytes), POSIX_FADV_WILLNEED);
}

}  // namespace timbre::data
