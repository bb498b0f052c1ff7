// The parts that panels of one figure share: frame, axes, colour bar.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "plot/colour_map.hpp"
#include "plot/raster.hpp"
#include "plot/svg.hpp"
#include "plot/ticks.hpp"

namespace timbre::plot {

/// The area of a panel's data; ticks and labels are drawn around it.
struct Panel {
  double x, y, width, height;
};

/// Outline, ticks below and, if `labelled`, what they say.
void draw_x_axis(Svg& svg, const Panel& panel, std::span<const Tick> ticks, Range range, bool labelled,
                 double size);

/// Ticks at the left; `position` gives y of a value.
void draw_y_axis(Svg& svg, const Panel& panel, std::span<const Tick> ticks,
                 const std::function<double(double)>& position, double size);

/// Colours of a range, low at the bottom, ticks at the right, the unit above.
void draw_colour_bar(Svg& svg, const Panel& bar, Range range, std::span<const Colour> colours,
                     std::string_view unit);

}  // namespace timbre::plot
