#include "audio/decoder_messages.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <new>
#include <string>

#include "core/text.hpp"

namespace timbre::audio {

namespace {

thread_local std::string_view decoded;  // the file; empty: none
thread_local std::string begun;         // a line of the decoder that has no end yet

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) text.remove_prefix(std::size_t(n));
  }
  return true;
}

bool write_named(std::string_view text) {
  bool good = true;
  begun += text;
  for (std::size_t end = 0; (end = begun.find('\n')) != begun.npos; begun.erase(0, end + 1))
    if (end > 0 && !write_all(printable(decoded) + ": " + printable(begun.substr(0, end)) + "\n"))
      good = false;
  return good;
}

#ifdef __GLIBC__
ssize_t write_stderr(void*, const char* text, std::size_t size) {
  const std::string_view all(text, size);
  try {
    return (decoded.empty() ? write_all(all) : write_named(all)) ? ssize_t(size) : 0;
  } catch (const std::bad_alloc&) {  // nothing may leave a function that C calls
    return 0;
  }
}
#endif

}  // namespace

void name_decoder_messages() {
#ifdef __GLIBC__  // where `stderr` is a variable
  static std::FILE* const named = [] {
    auto* stream = fopencookie(nullptr, "w",
                               {.read = nullptr, .write = write_stderr, .seek = nullptr, .close = nullptr});
    if (stream) std::setvbuf(stream, nullptr, _IONBF, 0);
    return stream;
  }();
  if (named) stderr = named;
#endif
}

Decoding::Decoding(std::string_view file) : before_(decoded) { decoded = file; }

Decoding::~Decoding() {
  try {
    if (!begun.empty()) write_named("\n");
  } catch (const std::bad_alloc&) {
    begun.clear();
  }
  decoded = before_;
}

}  // namespace timbre::audio
