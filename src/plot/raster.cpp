#include "plot/raster.hpp"

#include <algorithm>
#include <cmath>

namespace timbre::plot {

std::vector<Cells> cells_under_pixels(int count, std::int64_t size,
                                      const std::function<double(double)>& edge) {
  const auto clamped = [&](double v) {
    return static_cast<std::int64_t>(std::clamp(v, 0.0, double(size - 1)));
  };
  std::vector<Cells> out;
  for (int p = 0; p < count; ++p) {
    const double low = std::min(edge(p), edge(p + 1)), high = std::max(edge(p), edge(p + 1));
    const double first = std::ceil(low), last = std::ceil(high);
    if (first < last && first <= double(size - 1) && last > 0) {
      out.push_back({clamped(first), clamped(last - 1) + 1});
    } else {
      const auto nearest = clamped(std::floor((low + high) / 2 + 0.5));
      out.push_back({nearest, nearest + 1});
    }
  }
  return out;
}

float Raster::lowest() const { return *std::min_element(values.begin(), values.end()); }
float Raster::highest() const { return *std::max_element(values.begin(), values.end()); }

Raster rasterise(std::span<const float> values, std::int64_t width, std::span<const Cells> columns,
                 std::span<const Cells> rows, Reduction reduction) {
  Raster out{int(columns.size()), int(rows.size()), std::vector<float>(columns.size() * rows.size())};
  for (std::size_t x = 0; x < columns.size(); ++x) {
    for (std::size_t y = 0; y < rows.size(); ++y) {
      float highest = values[std::size_t(columns[x].first * width + rows[y].first)];
      double sum = 0;
      for (auto t = columns[x].first; t < columns[x].last; ++t) {
        for (auto f = rows[y].first; f < rows[y].last; ++f) {
          const float v = values[std::size_t(t * width + f)];
          highest = std::max(highest, v), sum += v;
        }
      }
      const auto count = double((columns[x].last - columns[x].first) * (rows[y].last - rows[y].first));
      out.values[y * columns.size() + x] = reduction == Reduction::maximum ? highest : float(sum / count);
    }
  }
  return out;
}

Range usable(Range range) {
  if (!(range.high - range.low > 1e-3)) range.high = range.low + 1;
  return range;
}

std::vector<std::uint8_t> quantise(std::span<const float> values, Range range, int levels) {
  std::vector<std::uint8_t> out;
  out.reserve(values.size());
  for (const float v : values) {
    const double level = (double(v) - range.low) / (range.high - range.low) * levels;
    out.push_back(static_cast<std::uint8_t>(std::clamp(level, 0.0, double(levels - 1))));
  }
  return out;
}

}  // namespace timbre::plot
