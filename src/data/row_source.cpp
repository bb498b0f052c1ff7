#include "data/row_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/hdf5.hpp"

namespace timbre::data {

void RowSource::read(std::int32_t row, float* out) const {
  fetch(row, out);
  if (!standardisation_.mean.empty()) standardise_frames(standardisation_, {out, std::size_t(width())});
}

void MemoryRows::fetch(std::int32_t row, float* out) const {
  std::memcpy(out, data_ + row * width_, std::size_t(width_) * sizeof(float));
}

StoreRows::StoreRows(const std::filesystem::path& file) : file_(file) {
  {
    const auto h5 = storage::H5File::open(file);
    const auto shape = h5.shape("/features");
    rows_ = shape[0], width_ = shape.size() / std::max<std::int64_t>(rows_, 1);
    offset_ = h5.rows_offset("/features");
  }
  descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail("{}: {}", printable(file.string()), std::generic_category().message(errno));
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_RANDOM);  // rows come shuffled: reading on would read in vain
}

StoreRows::~StoreRows() { ::close(descriptor_); }

void StoreRows::fetch(std::int32_t row, float* out) const {
  const auto bytes = std::size_t(width_) * sizeof(float);
  auto at = off_t(offset_ + std::int64_t(row) * std::int64_t(bytes));
  for (std::size_t done = 0; done < bytes;) {
    const auto n = ::pread(descriptor_, reinterpret_cast<char*>(out) + done, bytes - done, at + off_t(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      fail("{}: row {} of the features cannot be read: {}", printable(file_.string()), row,
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
