// Reads back what was drawn: is it XML, which bitmaps and texts does it hold.
#pragma once

#include <png.h>

#include <cstdint>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace timbre::test {

/// "" for well-formed XML of the kind that is written here (elements, attributes, text, the five entities and
/// decimal references; no comments, no declarations), else what is wrong.
inline std::string xml_problem(std::string_view text) {
  static const std::regex name("[A-Za-z][A-Za-z0-9:-]*"), entity("&(amp|lt|gt|quot|apos|#[0-9]+);");
  const auto good_text = [&](const std::string& t) {
    for (const char c : t)
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') return false;
    return std::regex_replace(t, entity, "").find_first_of("&<") == std::string::npos;
  };
  std::vector<std::string> open;
  bool seen_root = false;
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] != '<') {
      const auto end = std::min(text.find('<', i), text.size());
      const std::string part(text.substr(i, end - i));
      if (open.empty() && part.find_first_not_of("\n ") != part.npos) return "text outside of the root";
      if (!good_text(part)) return "bad text: " + part.substr(0, 60);
      i = end;
      continue;
    }
    const auto end = text.find('>', i);
    if (end == text.npos) return "a tag does not end";
    std::string tag(text.substr(i + 1, end - i - 1));
    i = end + 1;
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) return "</" + tag + " closes nothing";
      open.pop_back();
      continue;
    }
    if (open.empty() && seen_root) return "a second root";
    seen_root = true;
    const bool closed = tag.ends_with("/");
    if (closed) tag.pop_back();
    const auto space = std::min(tag.find(' '), tag.size());
    const auto element = tag.substr(0, space);
    if (!std::regex_match(element, name)) return "bad name: " + element;
    std::set<std::string> keys;
    for (std::size_t at = space; at < tag.size();) {
      const auto equals = tag.find("=\"", at);
      if (tag[at] != ' ' || equals == tag.npos) return "bad attributes: " + tag.substr(0, 80);
      const auto key = tag.substr(at + 1, equals - at - 1);
      const auto close = tag.find('"', equals + 2);
      if (close == tag.npos || !std::regex_match(key, name)) return "bad attribute: " + tag.substr(0, 80);
      if (!keys.insert(key).second) return "twice: " + key;
      if (!good_text(tag.substr(equals + 2, close - equals - 2))) return "bad value of " + key;
      at = close + 1;
    }
    if (!closed) open.push_back(element);
  }
  return !open.empty() ? "not closed: " + open.back() : seen_root ? "" : "no element";
}

struct Bitmap {
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgb;
  /// Sum of the three channels.
  int brightness(int x, int y) const {
    const auto* p = rgb.data() + 3 * (std::size_t(y) * std::size_t(width) + std::size_t(x));
    return p[0] + p[1] + p[2];
  }
  int brightest_row(int x) const {
    int best = 0;
    for (int y = 1; y < height; ++y)
      if (brightness(x, y) > brightness(x, best)) best = y;
    return best;
  }
  int brightest_column(int y) const {
    int best = 0;
    for (int x = 1; x < width; ++x)
      if (brightness(x, y) > brightness(best, y)) best = x;
    return best;
  }
};

inline Bitmap decode_png(const std::string& bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()))
    throw std::runtime_error(image.message);
  image.format = PNG_FORMAT_RGB;
  Bitmap out{int(image.width), int(image.height), std::vector<std::uint8_t>(PNG_IMAGE_SIZE(image))};
  if (!png_image_finish_read(&image, nullptr, out.rgb.data(), 0, nullptr))
    throw std::runtime_error(image.message);
  return out;
}

inline std::string from_base64(std::string_view text) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    const auto digit = digits.find(c);
    if (digit == digits.npos) throw std::runtime_error("not base64");
    bits = bits << 6 | std::uint32_t(digit), count += 6;
    if (count >= 8) count -= 8, out += char(bits >> count & 255);
  }
  return out;
}

/// The bitmaps of an SVG, in its order.
inline std::vector<Bitmap> bitmaps_of(std::string_view svg) {
  constexpr std::string_view start = "data:image/png;base64,";
  std::vector<Bitmap> out;
  for (auto at = svg.find(start); at != svg.npos; at = svg.find(start, at + 1)) {
    const auto first = at + start.size();
    out.push_back(decode_png(from_base64(svg.substr(first, svg.find('"', first) - first))));
  }
  return out;
}

struct Text {
  double x, y;
  std::string text;
};

inline std::vector<Text> texts_of(const std::string& svg) {
  static const std::regex element("<text x=\"([-0-9.]+)\" y=\"([-0-9.]+)\"[^>]*>([^<]*)</text>");
  std::vector<Text> out;
  for (std::sregex_iterator it(svg.begin(), svg.end(), element), end; it != end; ++it)
    out.push_back({std::stod((*it)[1]), std::stod((*it)[2]), (*it)[3]});
  return out;
}

}  // namespace timbre::test
