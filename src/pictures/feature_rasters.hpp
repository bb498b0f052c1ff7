// The features of an excerpt of sound as rasters over one time axis, for pictures.
//
// They come from the feature engines themselves, with the configuration's options, taken over the whole
// excerpt: what counts from a segment's maximum (top_db) counts from the excerpt's here.
//
//   spectrogram  20 log10 |STFT| in dB, whatever `power` is; frequency axis logarithmic (linear for n_fft <
//   128) mel          log_mel in dB mfcc         its coefficients
//
// Decibels of several cells under one pixel become their maximum, so that no short sound is lost;
// coefficients their mean. Where an excerpt has more frames than fit in 128 MiB, every second (third, ...) is
// taken.
#pragma once

#include <cstdint>
#include <span>

#include "features/options.hpp"
#include "plot/raster.hpp"

namespace timbre::pictures {

struct RasterSize {
  int width, spectrogram_height, mel_height, mfcc_height;  // heights are limits for mel and mfcc
};

struct FeatureRasters {
  plot::Raster spectrogram, mel, mfcc;
  plot::Range decibels, mel_decibels;  // dB
  plot::Range coefficients, first;     // of the coefficients from 1 on, and of coefficient 0
  double lowest_hertz, highest_hertz;  // edges of the spectrogram
  bool logarithmic;
  int bands, coefficient_count;

  /// Of the spectrogram, 0 at its lower edge and 1 at its upper.
  double height_of(double hertz) const;
};

/// Of stacked features, those that a picture shows: the first with mel bands, else the first.
const features::FeatureOptions& drawn_part(const features::FeatureOptions& options);

/// samples: at least one frame's. Errors: RequestError where no frame fits.
FeatureRasters feature_rasters(const features::FeatureOptions& options, std::span<const float> samples,
                               const RasterSize& size);

}  // namespace timbre::pictures
