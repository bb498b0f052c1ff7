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

}  // namespace timbre
