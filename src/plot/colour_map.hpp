// Perceptually uniform colour maps: equal steps of a value look equally large, in grey print as well.
//
// A map is a polynomial of degree six per channel, fitted to matplotlib's tables (largest error about 2%):
// M. Zucker, "Colormaps", 2019, https://www.shadertoy.com/view/WlfXRN (CC0).
#pragma once

#include <cstdint>
#include <vector>

namespace timbre::plot {

struct Colour {
  std::uint8_t red, green, blue;
};

enum class ColourMap { magma, viridis };

/// `levels` >= 2 colours, evenly spaced, the lowest value's first.
std::vector<Colour> palette(ColourMap map, int levels);

}  // namespace timbre::plot
