#include "storage/parcel.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace timbre::storage {

namespace {
constexpr std::size_t gathered_bytes = std::size_t{1} << 16;
}

void SendingEnd::write(const char* data, std::size_t size) const {
  while (size > 0) {
    const auto put = ::write(descriptor_, data, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) throw Broken("the reader is gone");
    data += put, size -= std::size_t(put);
  }
}

void SendingEnd::bytes(const void* data, std::size_t size) {
  if (gathered_.size() + size > gathered_bytes) finish();
  if (size > gathered_bytes)
    write(static_cast<const char*>(data), size);
  else if (size > 0)
    gathered_.append(static_cast<const char*>(data), size);
}

void SendingEnd::finish() {
  write(gathered_.data(), gathered_.size());
  gathered_.clear();
}

std::size_t ReceivingEnd::receive(char* data, std::size_t size) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - Clock::now()).count();
    pollfd ready{descriptor_, POLLIN, 0};
    const int events = left > 0 ? ::poll(&ready, 1, int(std::min<std::int64_t>(left, 1 << 30))) : 0;
    if (events < 0 && errno == EINTR) continue;
    if (events == 0) {
      late_ = true;
      throw Broken("late");
    }
    const auto got = ::read(descriptor_, data, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw Broken("gone");
    return std::size_t(got);
  }
}

void ReceivingEnd::bytes(void* data, std::size_t size) {
  if (size > left_) refuse();
  left_ -= size;
  auto* out = static_cast<char*>(data);
  while (size > 0) {
    if (begin_ == end_ && size >= buffer_.size()) {
      const auto got = receive(out, size);
      out += got, size -= got;
      continue;
    }
    if (begin_ == end_) begin_ = 0, end_ = receive(buffer_.data(), buffer_.size());
    const auto n = std::min(size, end_ - begin_);
    std::memcpy(out, buffer_.data() + begin_, n);
    begin_ += n, out += n, size -= n;
  }
}

void ReceivingEnd::expect(std::uint64_t count, std::size_t size) {
  if (count > left_ / std::max<std::size_t>(size, 1)) refuse();
}

void ReceivingEnd::refuse() {
  refused_ = true;
  throw Broken("too much");
}

}  // namespace timbre::storage
