// Features of segments on one GPU, for as many host threads as want them.
//
// A call of compute copies its segments into one of two pinned buffers, enqueues upload, kernels and download
// on three streams tied by events, and sleeps until its results are there. So while one thread's batch is
// computed, another's is transferred, and the others decode. Kernels of all batches share one stream, one FFT
// plan and one set of work areas.
//
// Everything is allocated in the constructor, for one shape of segments: at most `largest_batch` segments at
// a time and a quarter of the memory that is free then (but room for one segment and one frame, or Error).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include "core/shape.hpp"
#include "cuda/features/block_stft.hpp"
#include "cuda/features/cuda_feature.hpp"
#include "cuda/support/handles.hpp"
#include "cuda/support/memory.hpp"
#include "features/assembly.hpp"

namespace timbre::cuda {

/// How much is done at a time.
struct BatchPlan {
  std::int64_t segments;  // in a buffer
  std::int64_t block;     // frames transformed at a time
};
inline constexpr std::int64_t largest_batch = 64;

/// Fits a pipeline's areas into `budget` bytes of device memory. Throws Error where not even one segment
/// fits.
BatchPlan plan_batches(const features::FeatureOptions& options, std::int64_t segment_samples,
                       std::size_t budget);

class FeaturePipeline {
 public:
  FeaturePipeline(const features::FeatureOptions& options, std::int64_t segment_samples);
  ~FeaturePipeline();
  FeaturePipeline(const FeaturePipeline&) = delete;
  FeaturePipeline& operator=(const FeaturePipeline&) = delete;

  /// segments [count, samples] -> out [count, T, F], put together by the caller's assembly; any number of threads at once.
  /// Throws Error.
  void compute(const float* segments, std::int64_t count, features::Assembly& assembly, float* out);

 private:
  /// The memory of one call: pinned on the host, and its mirror on the device.
  struct Buffers {
    Buffers(std::size_t samples, std::size_t values);
    PinnedArray<float> samples, values;                // [segments, samples], of each part [segments, T, F]
    DeviceArray<float> device_samples, device_values;  // the same
    Event uploaded = make_event(), computed = make_event(), downloaded = make_event();
    bool taken = false;
  };
  /// One kind: its values of a segment, and where those of a batch begin.
  struct Part {
    std::unique_ptr<CudaFeature> feature;
    std::int64_t size, offset;
  };
  /// The kinds with one framing, in one precision.
  struct Transform {
    std::variant<BlockStftOf<float>, BlockStftOf<double>> stft;
    std::vector<std::size_t> parts;
  };
  class Taken;  // buffers for as long as a thread holds them

  void enqueue(Buffers& buffers, std::int64_t count);

  std::int64_t samples_;
  BatchPlan batch_;
  Stream upload_ = make_stream(), compute_ = make_stream(), download_ = make_stream();
  std::vector<Part> parts_;
  std::vector<std::size_t> readers_;  // of samples
  std::deque<Transform> transforms_;
  std::mutex buffers_lock_, enqueue_lock_;
  std::condition_variable buffer_free_;
  std::deque<Buffers> buffers_;  // two
};

}  // namespace timbre::cuda
