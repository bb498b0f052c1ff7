// Features of segments: [count, samples] -> [count, T, F].
//
//   T = 1 + floor(samples / hop_length)             center (n_fft even; one frame fewer at times where odd)
//   T = 1 + floor((samples - n_fft) / hop_length)   otherwise
//   F = bins, n_mels, n_mfcc ..., by kind; with delta, times 2 or 3; of stacked kinds the sum; with a summary T is 1
//
// A kind of feature is one file in this room that registers a FeatureType, and an OwnRegistration (own_options.hpp) where
// it has options of its own. An engine is serial and owns its plan and work space: one engine per thread. The same samples
// give the same bytes in any batch.
// Errors: RequestError where no frame fits, or where the features of one segment would be absurdly large.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/registry.hpp"
#include "core/shape.hpp"
#include "device/backend.hpp"
#include "features/options.hpp"

namespace timbre::features {

class FeatureEngine {
 public:
  virtual ~FeatureEngine() = default;
  /// (T, F)
  virtual Shape shape() const = 0;
  /// segments [count, samples] -> out [count, T, F]. Samples must be finite.
  virtual void compute(const float* segments, std::int64_t count, float* out) = 0;
  /// How many segments it likes to be given at once. Few on the CPU: they are still in its cache then.
  virtual std::int64_t segments_at_once() const { return 2; }
};

class CpuFeature;  // cpu_feature.hpp

/// Entry of the registry of features.
struct FeatureType {
  /// What a kind computes its values from.
  enum class Source { samples, spectrum, exact_spectrum };

  std::string summary;                                    // one line for --help
  std::vector<std::string> keys;                          // of the keys that kinds share, those it knows
  Source source = Source::spectrum;                       // exact: of float64
  std::int64_t (*width)(const FeatureOptions&);           // F
  std::string (*check)(const FeatureOptions&) = nullptr;  // "" or what is wrong for this kind
  std::unique_ptr<CpuFeature> (*make_cpu)(const FeatureOptions&, std::int64_t segment_samples) = nullptr;
  std::string (*note)(const FeatureOptions&) = nullptr;  // "" or what a person should know, though it works
  std::string whole_clips = "";  // why it is taken of whole clips alone; "" where of any segment
  std::int64_t (*frame_size)(const FeatureOptions&) = nullptr;  // n_fft where it is null
  bool is_first = false;  // of the first version: what is dumped of it alone holds every key
};
using FeatureRegistry = Registry<FeatureType>;

/// The keys of what transforms frames, and of the mel bands that follow.
const std::vector<std::string>& transform_keys();
const std::vector<std::string>& mel_keys();

/// A warning about these options; "" where there is none.
std::string feature_note(const FeatureOptions& options);

/// What a person should know of these features on a device; "" where there is nothing.
std::string device_note(const std::string& device, const FeatureOptions& options);

/// Number of frames that one kind has of a segment; 0 where none fits.
std::int64_t frame_count(const FeatureOptions& options, std::int64_t segment_samples);

/// Whether two kinds read the same transform.
bool share_transform(const FeatureOptions& a, const FeatureOptions& b);

/// Values that one kind has of a frame, without its changes.
std::int64_t width_of(const FeatureOptions& part);

/// (T, F), checked: what make_cpu_feature_engine(...)->shape() gives.
Shape feature_shape(const FeatureOptions& options, std::int64_t segment_samples);

std::unique_ptr<FeatureEngine> make_cpu_feature_engine(const FeatureOptions& options,
                                                       std::int64_t segment_samples);

/// Throws where a kind is taken of whole clips alone, and these are not.
void require_whole_clips(const FeatureOptions& options, bool whole);

/// The device that computes these features where this one is asked for: the CPU, where it lacks a kind (device_note).
std::string computed_on(const std::string& device, const FeatureOptions& options);

/// Opens a device ("cpu", "cuda": as device::choose gave it), or the one that computes in its place, for segments of one size.
device::EngineMaker open_features(const std::string& device, const FeatureOptions& options,
                                  std::int64_t segment_samples);

}  // namespace timbre::features
