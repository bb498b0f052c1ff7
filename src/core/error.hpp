// Errors with a formatted message (core/error_types.hpp says which there are).
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "core/error_types.hpp"

namespace timbre {

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

/// Throws RequestError about a key of the configuration: "PATH: MESSAGE".
template <class... A>
[[noreturn]] void fail_at(const std::string& path, fmt::format_string<A...> format, A&&... args) {
  const auto message = fmt::format(format, std::forward<A>(args)...);
  throw RequestError(path + ": " + message, path, message);
}

/// Runs `work` on a file that a key of the configuration names. What is wrong with the file ("FILE:LINE: ...") becomes
/// an error about the key; its text stays whole.
template <class Work>
auto named_by(const std::string& path, Work work) {
  try {
    return work();
  } catch (const RequestError& e) {
    if (!e.path.empty()) throw;
    throw RequestError(e.what(), path, e.what());
  }
}

}  // namespace timbre
