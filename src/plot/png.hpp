// Small pictures as PNG in memory, and as text that a page can embed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "plot/colour_map.hpp"

namespace timbre::plot {

/// pixels [height, width], the top row first, each an index into `colours` (at most 256). The same pixels
/// give the same bytes. Errors: Error where libpng fails.
std::string encode_png(std::span<const std::uint8_t> pixels, int width, int height,
                       std::span<const Colour> colours);

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

}  // namespace timbre::plot
