#include "cuda/features/pipeline.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "features/engine.hpp"

namespace timbre::cuda {
namespace {

const CudaFeatureType& type_of(const features::FeatureOptions& options) {
  const auto* type = CudaFeatureRegistry::instance().find(options.kind);
  if (!type) fail("device cuda: the feature {} has no CUDA implementation", options.kind);
  return *type;
}

std::size_t quarter_of_free_memory() {
  std::size_t free = 0, total = 0;
  TIMBRE_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return free / 4;
}

}  // namespace

BatchPlan plan_batches(const features::FeatureOptions& options, std::int64_t segment_samples,
                       std::size_t budget) {
  const auto shape = features::feature_shape(options, segment_samples);
  const auto& type = type_of(options);
  const auto work = type.work_floats ? type.work_floats(options, shape[0]) : 0;
  const auto per_segment =
      sizeof(float) * static_cast<std::size_t>(2 * (segment_samples + shape.size()) + work);
  // cuFFT's work area is known when the plan is made; it has been no larger than what it transforms.
  const auto per_frame = 2 * BlockStft::bytes_per_frame(options);
  if (per_segment + per_frame > budget)
    fail("device cuda: a segment of these features needs {:.1f} MB of GPU memory, {:.1f} MB may be used",
         static_cast<double>(per_segment + per_frame) / 1e6, static_cast<double>(budget) / 1e6);
  const auto segments =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(budget / 2 / per_segment), 1, largest_batch);
  const auto rest = budget - static_cast<std::size_t>(segments) * per_segment;
  // Enough thread blocks to fill a GPU; frames and spectra of the usual n_fft stay in its second-level cache,
  // and the last block of a batch, which is transformed whole, wastes little.
  constexpr std::int64_t largest_block = 512;
  const auto block =
      std::min({static_cast<std::int64_t>(rest / per_frame), segments * shape[0], largest_block});
  return {segments, block};
}

FeaturePipeline::Buffers::Buffers(std::size_t sample_count, std::size_t value_count)
    : samples(sample_count), values(value_count), device_samples(sample_count), device_values(value_count) {}

FeaturePipeline::FeaturePipeline(const features::FeatureOptions& options, std::int64_t segment_samples)
    : samples_(segment_samples),
      shape_(features::feature_shape(options, segment_samples)),
      batch_(plan_batches(options, segment_samples, quarter_of_free_memory())),
      stft_(options, segment_samples, batch_.block, compute_),
      feature_(type_of(options).make(options, shape_[0], batch_.segments, compute_)),
      buffers_{Buffers(static_cast<std::size_t>(batch_.segments * samples_),
                       static_cast<std::size_t>(batch_.segments * shape_.size())),
               Buffers(static_cast<std::size_t>(batch_.segments * samples_),
                       static_cast<std::size_t>(batch_.segments * shape_.size()))} {}

FeaturePipeline::~FeaturePipeline() {
  for (const cudaStream_t stream : {upload_.get(), compute_.get(), download_.get()})
    complain(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
}

/// Waits for free buffers and gives them back, also where work on them failed half-way.
class FeaturePipeline::Taken {
 public:
  explicit Taken(FeaturePipeline& p) : pipeline_(p) {
    std::unique_lock lock(p.buffers_lock_);
    const auto is_free = [](const Buffers& b) { return !b.taken; };
    p.buffer_free_.wait(lock, [&] { return std::any_of(p.buffers_.begin(), p.buffers_.end(), is_free); });
    held_ = &*std::find_if(p.buffers_.begin(), p.buffers_.end(), is_free);
    held_->taken = true;
  }
  ~Taken() {
    // After an error, what was enqueued may still use the buffers.
    if (!done) {
      for (const cudaStream_t stream :
           {pipeline_.upload_.get(), pipeline_.compute_.get(), pipeline_.download_.get()})
        complain(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    }
    {
      const std::lock_guard lock(pipeline_.buffers_lock_);
      held_->taken = false;
    }
    pipeline_.buffer_free_.notify_one();
  }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  Buffers& buffers() { return *held_; }
  bool done = false;

 private:
  FeaturePipeline& pipeline_;
  Buffers* held_;
};

void FeaturePipeline::enqueue(Buffers& buffers, std::int64_t count) {
  const std::lock_guard lock(enqueue_lock_);  // the batches' kernels must not mix: they share work areas
  const auto in_bytes = static_cast<std::size_t>(count * samples_) * sizeof(float);
  const auto out_bytes = static_cast<std::size_t>(count * shape_.size()) * sizeof(float);
  TIMBRE_CUDA_CHECK(cudaMemcpyAsync(buffers.device_samples.data(), buffers.samples.data(), in_bytes,
                                    cudaMemcpyHostToDevice, upload_));
  TIMBRE_CUDA_CHECK(cudaEventRecord(buffers.uploaded, upload_));
  TIMBRE_CUDA_CHECK(cudaStreamWaitEvent(compute_, buffers.uploaded));
  stft_.each_block(buffers.device_samples.data(), count,
                   [&](std::int64_t first, std::int64_t n, const float2* spectrum) {
                     feature_->take(compute_, spectrum, first, n, buffers.device_values.data());
                   });
  feature_->finish(compute_, count, buffers.device_values.data());
  TIMBRE_CUDA_CHECK(cudaEventRecord(buffers.computed, compute_));
  TIMBRE_CUDA_CHECK(cudaStreamWaitEvent(download_, buffers.computed));
  TIMBRE_CUDA_CHECK(cudaMemcpyAsync(buffers.values.data(), buffers.device_values.data(), out_bytes,
                                    cudaMemcpyDeviceToHost, download_));
  TIMBRE_CUDA_CHECK(cudaEventRecord(buffers.downloaded, download_));
}

void FeaturePipeline::compute(const float* segments, std::int64_t count, float* out) {
  for (std::int64_t first = 0; first < count; first += batch_.segments) {
    const auto n = std::min(batch_.segments, count - first);
    Taken taken(*this);
    auto& buffers = taken.buffers();
    std::copy_n(segments + first * samples_, n * samples_, buffers.samples.data());
    enqueue(buffers, n);
    TIMBRE_CUDA_CHECK(cudaEventSynchronize(buffers.downloaded));
    std::copy_n(buffers.values.data(), n * shape_.size(), out + first * shape_.size());
    taken.done = true;
  }
}

}  // namespace timbre::cuda
