#include "plot/panel.hpp"

#include <cstdint>

#include "plot/png.hpp"

namespace timbre::plot {
namespace {

constexpr std::string_view ink = "#444";
constexpr double tick_length = 4;

}  // namespace

void draw_x_axis(Svg& svg, const Panel& p, std::span<const Tick> ticks, Range range, bool labelled,
                 double size) {
  const double bottom = p.y + p.height;
  for (const auto& tick : ticks) {
    const double x = p.x + p.width * (tick.value - range.low) / (range.high - range.low);
    svg.line(x, bottom, x, bottom + tick_length, ink);
    if (labelled)
      svg.text(x, bottom + tick_length + size + 1, tick.label, {.size = size, .anchor = "middle"});
  }
  svg.outline(p.x, p.y, p.width, p.height, ink);
}

void draw_y_axis(Svg& svg, const Panel& p, std::span<const Tick> ticks,
                 const std::function<double(double)>& position, double size) {
  for (const auto& tick : ticks) {
    const double y = position(tick.value);
    svg.line(p.x - tick_length, y, p.x, y, ink);
    svg.text(p.x - tick_length - 3, y + 0.35 * size, tick.label, {.size = size, .anchor = "end"});
  }
}

void draw_colour_bar(Svg& svg, const Panel& bar, Range range, std::span<const Colour> colours,
                     std::string_view unit) {
  std::vector<std::uint8_t> column(colours.size());
  for (std::size_t i = 0; i < column.size(); ++i) column[i] = std::uint8_t(column.size() - 1 - i);
  svg.image(bar.x, bar.y, bar.width, bar.height, encode_png(column, 1, int(column.size()), colours), false);
  svg.outline(bar.x, bar.y, bar.width, bar.height, ink);
  const double right = bar.x + bar.width;
  for (const auto& tick : linear_ticks(range.low, range.high, int(bar.height / 26))) {
    const double y = bar.y + bar.height * (range.high - tick.value) / (range.high - range.low);
    svg.line(right, y, right + tick_length, y, ink);
    svg.text(right + tick_length + 3, y + 4, tick.label, {});
  }
  svg.text(bar.x, bar.y - 6, unit, {.fill = "#666"});
}

}  // namespace timbre::plot
