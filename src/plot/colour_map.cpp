#include "plot/colour_map.hpp"

#include <algorithm>
#include <cmath>

namespace timbre::plot {
namespace {

/// Coefficients of t^0 ... t^6, each for red, green and blue.
struct Fit {
  double c[7][3];
};

constexpr Fit magma{{{-0.002136485053939582, -0.000749655052795221, -0.005386127855323933},
                     {0.2516605407371642, 0.6775232436837668, 2.494026599312351},
                     {8.353717279216625, -3.577719514958484, 0.3144679030132573},
                     {-27.66873308576866, 14.26473078096533, -13.64921318813922},
                     {52.17613981234068, -27.94360607168351, 12.94416944238394},
                     {-50.76852536473588, 29.04658282127291, 4.23415299384598},
                     {18.65570506591883, -11.48977351997711, -5.601961508734096}}};
constexpr Fit viridis{{{0.2777273272234177, 0.005407344544966578, 0.3340998053353061},
                       {0.1050930431085774, 1.404613529898575, 1.384590162594685},
                       {-0.3308618287255563, 0.214847559468213, 0.09509516302823659},
                       {-4.634230498983486, -5.799100973351585, -19.33244095627987},
                       {6.228269936347081, 14.17993336680509, 56.69055260068105},
                       {4.776384997670288, -13.74514537774601, -65.35303263337234},
                       {-5.435455855934631, 4.645852612178535, 26.3124352495832}}};

std::uint8_t channel(const Fit& fit, int index, double t) {
  double v = 0;
  for (int power = 6; power >= 0; --power) v = v * t + fit.c[power][index];
  return static_cast<std::uint8_t>(std::lround(255 * std::clamp(v, 0.0, 1.0)));
}

}  // namespace

std::vector<Colour> palette(ColourMap map, int levels) {
  const Fit& fit = map == ColourMap::magma ? magma : viridis;
  std::vector<Colour> out;
  for (int i = 0; i < levels; ++i) {
    const double t = double(i) / (levels - 1);
    out.push_back({channel(fit, 0, t), channel(fit, 1, t), channel(fit, 2, t)});
  }
  return out;
}

}  // namespace timbre::plot
