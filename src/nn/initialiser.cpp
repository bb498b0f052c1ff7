#include "nn/initialiser.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/philox.hpp"

namespace timbre::nn {

namespace {

// Orthonormal columns of a rows x columns matrix (rows >= columns) by Gram-Schmidt, each column twice, which
// in float64 leaves them orthogonal to rounding. R's diagonal is positive by construction.
void orthonormalise_columns(std::vector<double>& a, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t j = 0; j < columns; ++j) {
    double* v = &a[std::size_t(j * rows)];  // column-major
    for (int pass = 0; pass < 2; ++pass)
      for (std::int64_t k = 0; k < j; ++k) {
        const double* q = &a[std::size_t(k * rows)];
        double dot = 0;
        for (std::int64_t i = 0; i < rows; ++i) dot += q[i] * v[i];
        for (std::int64_t i = 0; i < rows; ++i) v[i] -= dot * q[i];
      }
    double norm = 0;
    for (std::int64_t i = 0; i < rows; ++i) norm += v[i] * v[i];
    norm = std::sqrt(norm);
    for (std::int64_t i = 0; i < rows; ++i) v[i] /= norm;
  }
}

}  // namespace

void initialise(const ParameterSpec& spec, std::uint64_t seed, std::uint32_t index, std::span<float> values) {
  const auto& e = spec.shape.extents();
  PhiloxSequence random(seed, stream::initialiser, index);
  switch (spec.initialiser) {
    case Initialiser::zeros:
      std::fill(values.begin(), values.end(), 0.0f);
      break;
    case Initialiser::ones:
      std::fill(values.begin(), values.end(), 1.0f);
      break;
    case Initialiser::unit_forget_bias: {
      std::fill(values.begin(), values.end(), 0.0f);
      const auto quarter = values.size() / 4;
      std::fill_n(values.begin() + std::ptrdiff_t(quarter), quarter, 1.0f);
      break;
    }
    case Initialiser::glorot_uniform: {
      double window = 1;
      for (std::size_t i = 0; i + 2 < e.size(); ++i) window *= double(e[i]);
      const double fan_in = window * double(e.size() > 1 ? e[e.size() - 2] : e[0]),
                   fan_out = window * double(e.back());
      const double limit = std::sqrt(6.0 / (fan_in + fan_out));
      for (auto& v : values) v = float(random.uniform(-limit, limit));
      break;
    }
    case Initialiser::orthogonal: {
      const std::int64_t columns = e.back(), rows = spec.shape.size() / columns;
      const std::int64_t tall = std::max(rows, columns), narrow = std::min(rows, columns);
      std::vector<double> a(std::size_t(tall * narrow));
      for (auto& v : a) v = random.normal();
      orthonormalise_columns(a, tall, narrow);
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c)
          values[std::size_t(r * columns + c)] =
              float(rows >= columns ? a[std::size_t(c * tall + r)] : a[std::size_t(r * tall + c)]);
      break;
    }
  }
}

}  // namespace timbre::nn
