// A picture as SVG: shapes, text and embedded bitmaps, written one after the other.
//
// The file needs no other (no fonts, scripts or links), has its own light background, and uses neither ids nor
// style sheets: one HTML page can hold any number of such pictures. Coordinates are in pixels, y
// downwards, written with at most two decimals, so that the same drawing gives the same bytes.
#pragma once

#include <string>
#include <string_view>

namespace timbre::plot {

/// Text that is safe in XML, in attributes too: & < > " ' escaped; what XML does not allow (control
/// characters, invalid UTF-8, U+FFFE and U+FFFF) becomes U+FFFD.
std::string xml_text(std::string_view text);

/// The first `characters` - 1 characters and an ellipsis, where a text has more than that.
std::string shortened(std::string_view text, std::size_t characters);

/// A coordinate: at most two decimals, no trailing zeros.
std::string coordinate(double value);

struct TextStyle {
  double size = 11;
  std::string_view anchor = "start";  // start | middle | end
  std::string_view fill = "#333";
  bool bold = false;
  double turned = 0;  // degrees, about the text's own position
};

class Svg {
 public:
  /// `description`: what a screen reader says, and the title of a browser's tab.
  Svg(double width, double height, std::string_view description);

  void line(double x1, double y1, double x2, double y2, std::string_view stroke, double width = 1);
  /// An outline without filling.
  void outline(double x, double y, double width, double height, std::string_view stroke);
  /// d: SVG path data.
  void path(std::string_view d, std::string_view fill, std::string_view stroke);
  void text(double x, double y, std::string_view text, const TextStyle& style);
  /// Stretches a PNG over the rectangle; `crisp` keeps the edges of its pixels.
  void image(double x, double y, double width, double height, std::string_view png, bool crisp);

  std::string finish() const { return text_ + "</svg>\n"; }

 private:
  std::string text_;
};

}  // namespace timbre::plot
