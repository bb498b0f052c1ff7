// Pictures of sound as the networks are given it: waveform, spectrogram, mel bands and MFCCs over one time
// axis.
//
// A picture is one self-contained SVG (plot/svg.hpp); the same samples and options give the same bytes. The
// features are those of feature_rasters.hpp. The first cepstral coefficient (the level) has values ten times
// the others': it has a colour scale of its own, which the panel's title says.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "features/options.hpp"

namespace timbre::pictures {

/// A part of an audio file.
struct Excerpt {
  std::vector<float> samples;  // mono, at the rate asked for
  double offset = 0;           // seconds before it
  double file_seconds = 0;  // length of the file, by its header where it was not read to its end; 0: unknown
};

/// Reads at most `seconds` from `offset` on (in seconds). Errors are RequestError with the path: what
/// AudioReader says, an offset behind the end.
Excerpt read_excerpt(const std::filesystem::path& file, int sample_rate, double offset, double seconds);

/// "the first 30 s of 125.4 s", "10 to 15 s of 125.4 s", "15.2 s".
std::string describe_excerpt(const Excerpt& excerpt, int sample_rate);

/// Four panels, 960 x 876 pixels, below 300 kB. `name` and `what` are the lines of its title. Errors: RequestError
/// where there are fewer samples than a frame has (n_fft).
std::string feature_picture(const features::FeatureOptions& options, const Excerpt& excerpt,
                            std::string_view name, std::string_view what);

/// Spectrogram and MFCCs, 320 x 200 pixels, below 25 kB. Errors: RequestError where no frame fits.
std::string small_feature_picture(const features::FeatureOptions& options, std::span<const float> samples,
                                  std::string_view title, std::string_view description);

}  // namespace timbre::pictures
