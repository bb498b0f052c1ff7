// A matrix of features as a picture: every pixel takes its value from the cells of the matrix under it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace timbre::plot {

/// The values under a pixel, along one axis of a matrix: [first, last), never empty.
struct Cells {
  std::int64_t first, last;
};

/// For pixels 0 ... count - 1 the cells of an axis of `size`. edge(p): the position of the left edge of pixel
/// p (and of the right edge of pixel p - 1) in cells, where cell i is centred on i. A pixel takes the cells
/// whose centres it covers, or the nearest where it covers none.
std::vector<Cells> cells_under_pixels(int count, std::int64_t size,
                                      const std::function<double(double)>& edge);

enum class Reduction { maximum, mean };

/// Values [height, width], the top row first.
struct Raster {
  int width = 0, height = 0;
  std::vector<float> values;

  float lowest() const;
  float highest() const;
};

/// values [frames, width of a frame] -> raster [rows.size(), columns.size()]; rows[0] is the top.
Raster rasterise(std::span<const float> values, std::int64_t width, std::span<const Cells> columns,
                 std::span<const Cells> rows, Reduction reduction);

/// The interval of values that the colours span.
struct Range {
  double low, high;
};

/// An empty range (silence) is widened upwards, so that it can be divided by and its value has the lowest
/// colour.
Range usable(Range range);

/// Values as indices of `levels` colours; those outside of the range take the first or the last.
std::vector<std::uint8_t> quantise(std::span<const float> values, Range range, int levels);

}  // namespace timbre::plot
