// The features of a segment: librosa 0.11's names, meanings and defaults.
//
//   features: {kind: mfcc, n_mfcc: 13}                          one kind
//   features: [mfcc: {n_mfcc: 13}, chroma_stft, rms]            several, side by side along the coefficients
//   features: {sample_rate: 16000, standardise: true, summary: [mean, std], stack: [mfcc, {rms: {delta: 1}}]}
//
// Beside `stack`, sample_rate, standardise and summary are those of the whole; any other key is the default of the parts
// that know it. Stacked frames are aligned: all parts have one hop_length, and give the same number of frames.
// delta: 1 appends to each coefficient its change over time, 2 the change of that as well (features/delta.hpp). summary
// replaces the frames by their mean, their deviation (of n) or both, one after the other: [1, F or 2 F].
//
// frame rate: sample_rate / hop_length; a frame is n_fft samples, of which the window covers the win_length in
// the middle. bins: 1 + n_fft / 2. Frequencies are in Hz, top_db in dB.
// Errors: RequestError with the place of the value, from parsing and from the checks over several fields.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/forward.hpp"
#include "core/part.hpp"
#include "features/external.hpp"

namespace timbre::features {

/// Raised when an extraction gives other numbers for the same options; part of every stored feature's key.
inline constexpr int feature_version = 2;

/// The options that one kind alone has. Its header has the struct, its file the schema and an OwnRegistration (own_options.hpp).
class OwnOptions {
 public:
  static constexpr auto kind = "feature";
  virtual ~OwnOptions() = default;
  virtual OptionsRef options() const = 0;
  /// {kind: {every option}}
  virtual config::Node dump() const = 0;
};

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
      external;                    // computed elsewhere; all above but `standardise` does not apply then
  std::optional<int> delta;        // 1 | 2: how many orders are appended; absent: none
  std::optional<int> delta_width;  // 9 frames where absent
  std::optional<std::vector<std::string>> summary;  // mean, std
  std::shared_ptr<const OwnOptions> own;            // absent: the defaults
  std::vector<FeatureOptions> stack;                // absent: the one kind above

  static FeatureOptions from(const config::Reader& reader);
  static config::Type describe();
  /// from() gives the same options of it.
  config::Node dump() const;

  int window_samples() const { return win_length.value_or(n_fft); }
  double highest_frequency() const { return fmax.value_or(sample_rate / 2.0); }
  int bins() const { return 1 + n_fft / 2; }
  /// Orders of change that are appended.
  int delta_orders() const { return delta.value_or(0); }
  int delta_frames() const { return delta_width.value_or(9); }
  /// The kinds that are stacked, or the one that it is.
  std::span<const FeatureOptions> parts() const {
    return stack.empty() ? std::span(this, 1) : std::span<const FeatureOptions>(stack);
  }
  template <class Options>
  const Options& own_as() const {
    static const Options defaults;
    return own ? own->options().as<Options>() : defaults;
  }
};

/// The keys that kinds share.
const config::Schema<FeatureOptions>& schema(config::of<FeatureOptions>);

/// "" or what is wrong with the fields together. from() runs it; code that fills the struct itself may.
std::string problem_with(const FeatureOptions& options);

/// Text that differs where extraction would give different numbers: the version and every option but
/// `standardise`.
std::string extraction_key(const FeatureOptions& options);

/// "mfcc", "mfcc + chroma_stft", or "external".
std::string name_of(const FeatureOptions& options);

/// `features: [...]` of a configuration becomes `features: {stack: [...]}`, so that a key of the whole can be set.
void make_room_for_keys(config::Node& features);

/// Of a dumped FeatureOptions, removes what does not apply to external features.
void drop_unused(config::Node& node);

}  // namespace timbre::features
