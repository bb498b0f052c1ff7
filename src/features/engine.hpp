// Features of segments: [count, samples] -> [count, T, F].
//
//   T = 1 + floor(samples / hop_length)             center (n_fft even; one frame fewer at times where odd)
//   T = 1 + floor((samples - n_fft) / hop_length)   otherwise
//   F = bins, n_mels or n_mfcc, by kind
//
// A kind of feature is one file in this room that registers a FeatureType. An engine is serial and owns its
// plan and work space: one engine per thread. The same samples give the same bytes in any batch.
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

/// Entry of the registry of features.
struct FeatureType {
  std::string summary;                                    // one line for --help
  std::int64_t (*width)(const FeatureOptions&);           // F
  std::string (*check)(const FeatureOptions&) = nullptr;  // "" or what is wrong for this kind
  std::unique_ptr<FeatureEngine> (*make_cpu)(const FeatureOptions&, std::int64_t segment_samples) = nullptr;
  std::string (*note)(const FeatureOptions&) = nullptr;  // "" or what a person should know, though it works
};
using FeatureRegistry = Registry<FeatureType>;

/// A warning about these options; "" where there is none.
std::string feature_note(const FeatureOptions& options);

/// Number of frames of a segment; 0 where none fits.
std::int64_t frame_count(const FeatureOptions& options, std::int64_t segment_samples);

/// (T, F), checked: what make_cpu_feature_engine(...)->shape() gives.
Shape feature_shape(const FeatureOptions& options, std::int64_t segment_samples);

std::unique_ptr<FeatureEngine> make_cpu_feature_engine(const FeatureOptions& options,
                                                       std::int64_t segment_samples);

/// Opens a device ("cpu", "cuda": as device::choose gave it) for segments of one size.
device::EngineMaker open_features(const std::string& device, const FeatureOptions& options,
                                  std::int64_t segment_samples);

}  // namespace timbre::features
