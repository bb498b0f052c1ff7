#include "plot/svg.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "plot/png.hpp"

namespace timbre::plot {
namespace {

/// Length in bytes of the character at the front of `text` if it is valid UTF-8 and XML 1.0 allows it, else
/// 0.
std::size_t allowed_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 || lead == '\t' || lead == '\n' || lead == '\r' ? 1 : 0;
  const std::size_t length = lead >= 0xF8 ? 0 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
  if (length == 0 || length > text.size()) return 0;
  std::uint32_t code = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  static constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  const bool control = code < 0xA0;
  if (code < smallest[length] || code > 0x10FFFF || surrogate || control || code == 0xFFFE || code == 0xFFFF)
    return 0;
  return length;
}

}  // namespace

std::string xml_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto length = allowed_character(text);
    switch (text[0]) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        length == 0 ? out += "\xEF\xBF\xBD" : out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t characters) {
  std::size_t count = 0, cut = 0;  // bytes before the last character that may stay
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0xC0) == 0x80) continue;  // within a character
    if (++count == characters) cut = i;
    if (count > characters) return std::string(text.substr(0, cut)) + "\u2026";
  }
  return std::string(text);
}

std::string coordinate(double value) {
  auto text = fmt::format("{:.2f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

Svg::Svg(double width, double height, std::string_view description) {
  const auto words = xml_text(description), w = coordinate(width), h = coordinate(height);
  text_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "role=\"img\" aria-label=\"{2}\" font-family=\"Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', "
      "sans-serif\">\n"
      "<title>{2}</title>\n<rect width=\"{0}\" height=\"{1}\" rx=\"6\" fill=\"#fff\"/>\n",
      w, h, words);
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view stroke, double width) {
  text_ += fmt::format("<path d=\"M{} {}L{} {}\" stroke=\"{}\" stroke-width=\"{}\"/>\n", coordinate(x1),
                       coordinate(y1), coordinate(x2), coordinate(y2), stroke, coordinate(width));
}

void Svg::outline(double x, double y, double width, double height, std::string_view stroke) {
  text_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"{}\"/>\n",
                       coordinate(x), coordinate(y), coordinate(width), coordinate(height), stroke);
}

void Svg::path(std::string_view d, std::string_view fill, std::string_view stroke) {
  text_ += fmt::format("<path d=\"{}\" fill=\"{}\" stroke=\"{}\"/>\n", d, fill, stroke);
}

void Svg::text(double x, double y, std::string_view text, const TextStyle& style) {
  text_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"", coordinate(x), coordinate(y),
                       coordinate(style.size), style.fill);
  if (style.anchor != "start") text_ += fmt::format(" text-anchor=\"{}\"", style.anchor);
  if (style.bold) text_ += " font-weight=\"bold\"";
  if (style.turned != 0)
    text_ += fmt::format(" transform=\"rotate({} {} {})\"", coordinate(style.turned), coordinate(x),
                         coordinate(y));
  text_ += fmt::format(">{}</text>\n", xml_text(text));
}

void Svg::image(double x, double y, double width, double height, std::string_view png, bool crisp) {
  text_ += fmt::format(
      "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\"{} "
      "href=\"data:image/png;base64,{}\"/>\n",
      coordinate(x), coordinate(y), coordinate(width), coordinate(height),
      crisp ? " style=\"image-rendering:pixelated\"" : "", base64(png));
}

}  // namespace timbre::plot
