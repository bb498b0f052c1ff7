// SpecAugment (Park et al. 2019): in training, stripes of a segment's features are hidden, anew at each step.
//
//   features [T, F]; each of time_masks stripes hides w steps, w = 0 .. time_width, each of frequency_masks stripes w
//   coefficients, w = 0 .. frequency_width; all widths and all places are equally likely
//
// Hidden values are 0, which is the mean of standardised features. Stripe m of row r of the batch comes from words 0 and 1 of
// philox(seed, stream::augment, step, 64 r + m): the same on every device, on any number of threads, and after a resumption.
// Validation and test are never augmented. The header is plain C++ that nvcc compiles for the device as well.
// Errors: RequestError for more than 32 stripes, and for widths that leave nothing.
// Source: https://arxiv.org/abs/1904.08779, without time warping.
#pragma once

#include <cstdint>

#include "config/forward.hpp"
#include "core/philox.hpp"

namespace timbre::training {

struct SpecAugmentOptions {
  std::int64_t time_masks = 1, time_width = 20, frequency_masks = 1, frequency_width = 4;
};
const config::Schema<SpecAugmentOptions>& schema(config::of<SpecAugmentOptions>);

/// [first, end) of an axis.
struct Stripe {
  std::int32_t first, end;
};

/// The stripes of one step.
struct SpecAugment {
  std::uint64_t seed;
  std::int32_t steps, coefficients;  // T, F
  std::int32_t time_masks, time_width, frequency_masks, frequency_width;
  static SpecAugment of(const SpecAugmentOptions& o, std::uint64_t seed, std::int64_t steps,
                        std::int64_t coefficients) {
    return {seed,
            std::int32_t(steps),
            std::int32_t(coefficients),
            std::int32_t(o.time_masks),
            std::int32_t(o.time_width),
            std::int32_t(o.frequency_masks),
            std::int32_t(o.frequency_width)};
  }
  TIMBRE_HD std::int32_t masks() const { return time_masks + frequency_masks; }
  /// Stripe m of a row: of the time axis for the first time_masks.
  TIMBRE_HD Stripe stripe(std::int64_t row, std::int32_t m, std::uint32_t step) const {
    const PhiloxBlock words = philox(seed, stream::augment, step, static_cast<std::uint64_t>(64 * row + m));
    const bool time = m < time_masks;
    const std::int32_t extent = time ? steps : coefficients, most = time ? time_width : frequency_width;
    const std::int32_t width = below(words.v[0], most + 1), first = below(words.v[1], extent - width + 1);
    return {first, first + width};
  }

 private:
  TIMBRE_HD static std::int32_t below(std::uint32_t word, std::int32_t n) {
    return static_cast<std::int32_t>((static_cast<std::uint64_t>(word) * static_cast<std::uint64_t>(n)) >>
                                     32);
  }
};

}  // namespace timbre::training
