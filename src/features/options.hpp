// The features of a segment: librosa 0.11's names, meanings and defaults.
//
// frame rate: sample_rate / hop_length; a frame is n_fft samples, of which the window covers the win_length in
// the middle. bins: 1 + n_fft / 2. Frequencies are in Hz, top_db in dB.
// Errors: RequestError with the place of the value, from parsing and from the checks over several fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/forward.hpp"
#include "features/external.hpp"

namespace timbre::features {

/// Raised when an extraction gives other numbers for the same options; part of every stored feature's key.
inline constexpr int feature_version = 2;

struct FeatureOptions {
  std::string kind = "mfcc";  // a name in FeatureRegistry
  int sample_rate = 22050;
  int n_fft = 2048;  // any size >= 2, not only powers of two
  int hop_length = 512;
  std::optional<int> win_length;  // n_fft where absent
  std::string window = "hann";    // periodic, as scipy.signal.get_window(fftbins=True)
  bool center = true;             // frame t is centred on sample t * hop_length; the signal is padded
  std::string pad_mode = "constant";
  double power = 2.0;  // exponent of the magnitude
  int n_mels = 128;
  double fmin = 0.0;
  std::optional<double> fmax;  // sample_rate / 2 where absent
  std::string mel_scale = "slaney";
  std::string norm = "slaney";
  int n_mfcc = 20;
  std::optional<double> top_db = 80.0;  // range below the segment's maximum; null: no limit
  bool standardise = false;             // done in training, from training rows; not part of extraction
  std::optional<ExternalOptions>
      external;  // computed elsewhere; all above but `standardise` does not apply then

  int window_samples() const { return win_length.value_or(n_fft); }
  double highest_frequency() const { return fmax.value_or(sample_rate / 2.0); }
  int bins() const { return 1 + n_fft / 2; }
};

const config::Schema<FeatureOptions>& schema(config::of<FeatureOptions>);

/// "" or what is wrong with the fields together. The schema runs it; code that fills the struct itself may.
std::string problem_with(const FeatureOptions& options);

/// Text that differs where extraction would give different numbers: the version and every option but
/// `standardise`.
std::string extraction_key(const FeatureOptions& options);

/// "mfcc", or "external".
std::string name_of(const FeatureOptions& options);

/// Of a dumped FeatureOptions, removes what does not apply to external features.
void drop_unused(config::Node& node);

}  // namespace timbre::features
