// Words of a command line as they may be typed again.
#pragma once

#include <string>
#include <string_view>

namespace timbre {

/// The word as a shell takes it back: as it is, or between single quotes.
std::string shell_word(std::string_view text);

}  // namespace timbre
