#include "plot/png.hpp"

#include <png.h>

#include "core/error.hpp"

namespace timbre::plot {

std::string encode_png(std::span<const std::uint8_t> pixels, int width, int height,
                       std::span<const Colour> colours) {
  static_assert(sizeof(Colour) == 3);  // as PNG_FORMAT_RGB_COLORMAP wants them
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width), image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB_COLORMAP;
  image.colormap_entries = static_cast<png_uint_32>(colours.size());
  std::string out(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = out.size();
  const bool written =
      png_image_write_to_memory(&image, out.data(), &size, 0, pixels.data(), width, colours.data()) != 0;
  if (!written) fail("a picture cannot be encoded: {}", image.message);
  out.resize(size);
  return out;
}

std::string base64(std::string_view bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace timbre::plot
