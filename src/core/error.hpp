// Errors that end a command. The message is one line, ready to be shown to a person.
//
// Error         the work failed (exit status 1): a file that cannot be read, a loss that became NaN.
// RequestError  the request was wrong (exit status 2): configuration, command line, missing data set.
// Unavailable   the machine failed, not the file: no descriptors or processes left, an error of the disk. Nothing can
//               be said of the file, so nobody puts it aside.
// Interrupted   a signal asked to stop (exit status 128 + signal).
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace timbre {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Unavailable : Error {
  using Error::Error;
};

struct RequestError : Error {
  using Error::Error;
};

struct Interrupted : Error {
  explicit Interrupted(int signal_number) : Error("interrupted"), signal(signal_number) {}
  int signal;
};

/// Throws Error with a formatted message.
template <class... A>
[[noreturn]] void fail(fmt::format_string<A...> format, A&&... args) {
  throw Error(fmt::format(format, std::forward<A>(args)...));
}

/// Throws RequestError with a formatted message.
template <class... A>
[[noreturn]] void fail_request(fmt::format_string<A...> format, A&&... args) {
  throw RequestError(fmt::format(format, std::forward<A>(args)...));
}

}  // namespace timbre
