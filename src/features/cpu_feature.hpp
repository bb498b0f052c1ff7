// One kind of feature on the CPU: what it computes of the frames of a segment. An engine (engine.hpp) has one for each kind
// that it stacks. Kinds with the same framing share a transform.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "features/stft.hpp"

namespace timbre::features {

/// The spectra of a block of frames. Made exact, they are transformed in float64; those who read float32 get them rounded.
class Spectra {
 public:
  Spectra(const FeatureOptions& framing, std::int64_t segment_samples, bool exact);

  std::int64_t frames() const { return exact_ ? exact_->frames() : single_->frames(); }
  std::int64_t block_frames() const { return exact_ ? exact_->block_frames() : single_->block_frames(); }
  std::int64_t bins() const { return exact_ ? exact_->bins() : single_->bins(); }
  std::int64_t row_stride() const { return exact_ ? exact_->row_stride() : single_->row_stride(); }

  void transform(const float* segment, std::int64_t first, std::int64_t count);
  /// |X|^power of the block, [count, row_stride], with zeros behind the bins.
  const float* rows(double power);
  /// The same in float64. Throws std::logic_error where it is not exact.
  const double* exact_rows(double power);

 private:
  struct Rounded {
    double power;
    bool done;
    AlignedFloats rows;
  };
  std::int64_t count_ = 0;
  std::optional<StftOf<float>> single_;
  std::optional<StftOf<double>> exact_;
  std::vector<Rounded> rounded_;
};

class CpuFeature {
 public:
  virtual ~CpuFeature() = default;
  /// For a kind that reads samples: segment [samples] -> out [T, F].
  virtual void read(const float* /*segment*/, float* /*out*/) {}
  /// For a kind that reads spectra: frames [first, first + count) of the segment; out [T, F] is the whole segment's.
  virtual void take(Spectra&, std::int64_t /*first*/, std::int64_t /*count*/, float* /*out*/) {}
  /// After the last frame.
  virtual void finish(float* /*out*/) {}
};

}  // namespace timbre::features
