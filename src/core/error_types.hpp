// Errors that end a command, without the means to format their message (core/error.hpp has those): kernel sources
// include this header, and fmt 9 does not compile in them. The message is one line, ready to be shown to a person.
//
// Error         the work failed (exit status 1): a file that cannot be read, a loss that became NaN.
// RequestError  the request was wrong (exit status 2): configuration, command line, missing data set.
// Unavailable   the machine failed, not the file: no descriptors or processes left, an error of the disk. Nothing can
//               be said of the file, so it is not put aside.
// Interrupted   a signal asked to stop (exit status 128 + signal).
#pragma once

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
  /// About a key of the configuration, "dataset.path"; `text` is what is wrong, without the key. Who knows the
  /// configuration puts the place of the key before it (run/run_config.hpp).
  RequestError(const std::string& whole, std::string key, std::string text)
      : Error(whole), path(std::move(key)), message(std::move(text)) {}
  std::string path, message;  // empty where no key is to blame
};

struct Interrupted : Error {
  explicit Interrupted(int signal_number) : Error("interrupted"), signal(signal_number) {}
  int signal;
};

}  // namespace timbre
