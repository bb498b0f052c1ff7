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

using Source = features::FeatureType::Source;

Source source_of(const features::FeatureOptions& part) {
  return features::FeatureRegistry::instance().find(part.kind)->source;
}

/// Whether two kinds read the same spectra here: of one precision.
bool share_spectra(const features::FeatureOptions& a, const features::FeatureOptions& b) {
  return source_of(a) == source_of(b) && features::share_transform(a, b);
}

std::size_t bytes_per_frame(const features::FeatureOptions& part) {
  if (source_of(part) == Source::samples) return 0;
  return source_of(part) == Source::spectrum ? BlockStftOf<float>::bytes_per_frame(part)
                                             : BlockStftOf<double>::bytes_per_frame(part);
}

std::size_t quarter_of_free_memory() {
  std::size_t free = 0, total = 0;
  TIMBRE_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return free / 4;
}

}  // namespace

BatchPlan plan_batches(const features::FeatureOptions& options, std::int64_t segment_samples,
                       std::size_t budget) {
  features::feature_shape(options, segment_samples);  // or says what is wrong
  const auto parts = options.parts();
  std::int64_t frames = 0, floats = 2 * segment_samples;
  std::size_t per_frame = 0, once = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    frames = features::frame_count(parts[i], segment_samples);
    const auto& type = type_of(parts[i]);
    floats += 2 * frames * features::width_of(parts[i]) +
              (type.work_floats ? type.work_floats(parts[i], frames) : 0);
    if (type.once_floats)
      once += sizeof(float) * static_cast<std::size_t>(type.once_floats(parts[i], frames));
    const bool is_first = std::none_of(parts.begin(), parts.begin() + std::ptrdiff_t(i),
                                       [&](const auto& other) { return share_spectra(other, parts[i]); });
    // cuFFT's work area is known when the plan is made; it has been no larger than what it transforms.
    if (is_first) per_frame += 2 * bytes_per_frame(parts[i]);
  }
  const auto per_segment = sizeof(float) * static_cast<std::size_t>(floats);
  if (once + per_segment + per_frame > budget)
    fail("device cuda: a segment of these features needs {:.1f} MB of GPU memory, {:.1f} MB may be used",
         static_cast<double>(once + per_segment + per_frame) / 1e6, static_cast<double>(budget) / 1e6);
  budget -= once;
  const auto segments =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(budget / 2 / per_segment), 1, largest_batch);
  const auto rest = budget - static_cast<std::size_t>(segments) * per_segment;
  // Enough thread blocks to fill a GPU; frames and spectra of the usual n_fft stay in its second-level cache,
  // and the last block of a batch, which is transformed whole, wastes little.
  constexpr std::int64_t largest_block = 512;
  const auto block = std::min({static_cast<std::int64_t>(rest / std::max<std::size_t>(per_frame, 1)),
                               segments * frames, largest_block});
  return {segments, block};
}

FeaturePipeline::Buffers::Buffers(std::size_t sample_count, std::size_t value_count)
    : samples(sample_count), values(value_count), device_samples(sample_count), device_values(value_count) {}

FeaturePipeline::FeaturePipeline(const features::FeatureOptions& options, std::int64_t segment_samples)
    : samples_(segment_samples), batch_(plan_batches(options, segment_samples, quarter_of_free_memory())) {
  const auto parts = options.parts();
  std::int64_t values = 0;  // of a batch
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto frames = features::frame_count(parts[i], segment_samples),
               size = frames * features::width_of(parts[i]);
    if (const auto source = source_of(parts[i]); source == Source::samples) {
      readers_.push_back(i);
    } else {
      auto transform = std::find_if(transforms_.begin(), transforms_.end(), [&](const Transform& t) {
        return share_spectra(parts[t.parts.front()], parts[i]);
      });
      if (transform == transforms_.end()) {
        if (source == Source::spectrum)
          transforms_.push_back({BlockStftOf<float>(parts[i], segment_samples, batch_.block, compute_), {}});
        else
          transforms_.push_back({BlockStftOf<double>(parts[i], segment_samples, batch_.block, compute_), {}});
        transform = transforms_.end() - 1;
      }
      transform->parts.push_back(i);
    }
    parts_.push_back({type_of(parts[i]).make(parts[i], frames, batch_.segments, compute_), size, values});
    values += batch_.segments * size;
  }
  for (int i = 0; i < 2; ++i)
    buffers_.emplace_back(static_cast<std::size_t>(batch_.segments * samples_),
                          static_cast<std::size_t>(values));
}

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
  TIMBRE_CUDA_CHECK(cudaMemcpyAsync(buffers.device_samples.data(), buffers.samples.data(), in_bytes,
                                    cudaMemcpyHostToDevice, upload_));
  TIMBRE_CUDA_CHECK(cudaEventRecord(buffers.uploaded, upload_));
  TIMBRE_CUDA_CHECK(cudaStreamWaitEvent(compute_, buffers.uploaded));
  float* values = buffers.device_values.data();
  const float* samples = buffers.device_samples.data();
  for (const auto i : readers_)
    parts_[i].feature->read(compute_, samples, samples_, count, values + parts_[i].offset);
  for (auto& transform : transforms_) {
    const auto take = [&]<class Pair>(std::int64_t first, std::int64_t n, const Pair* spectrum) {
      for (const auto i : transform.parts) {
        auto& feature = *parts_[i].feature;
        if constexpr (std::is_same_v<Pair, float2>)
          feature.take(compute_, spectrum, first, n, values + parts_[i].offset);
        else
          feature.take_exact(compute_, spectrum, first, n, values + parts_[i].offset);
      }
    };
    std::visit([&](auto& stft) { stft.each_block(samples, count, take); }, transform.stft);
    for (const auto i : transform.parts)
      parts_[i].feature->finish(compute_, count, values + parts_[i].offset);
  }
  TIMBRE_CUDA_CHECK(cudaEventRecord(buffers.computed, compute_));
  TIMBRE_CUDA_CHECK(cudaStreamWaitEvent(download_, buffers.computed));
  for (const auto& part : parts_)
    TIMBRE_CUDA_CHECK(cudaMemcpyAsync(buffers.values.data() + part.offset, values + part.offset,
                                      static_cast<std::size_t>(count * part.size) * sizeof(float),
                                      cudaMemcpyDeviceToHost, download_));
  TIMBRE_CUDA_CHECK(cudaEventRecord(buffers.downloaded, download_));
}

void FeaturePipeline::compute(const float* segments, std::int64_t count, features::Assembly& assembly,
                              float* out) {
  const auto size = assembly.shape().size();
  std::vector<const float*> parts(parts_.size());
  for (std::int64_t first = 0; first < count; first += batch_.segments) {
    const auto n = std::min(batch_.segments, count - first);
    Taken taken(*this);
    auto& buffers = taken.buffers();
    std::copy_n(segments + first * samples_, n * samples_, buffers.samples.data());
    enqueue(buffers, n);
    TIMBRE_CUDA_CHECK(cudaEventSynchronize(buffers.downloaded));
    for (std::int64_t i = 0; i < n; ++i, out += size) {
      for (std::size_t p = 0; p < parts.size(); ++p)
        parts[p] = buffers.values.data() + parts_[p].offset + i * parts_[p].size;
      if (assembly.is_trivial())
        std::copy_n(parts[0], size, out);
      else
        assembly.put(parts, out);
    }
    taken.done = true;
  }
}

}  // namespace timbre::cuda
