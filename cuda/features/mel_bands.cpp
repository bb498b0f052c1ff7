#include "features/mel_bands.hpp"

#include <vector>

#include "features/mel_filters.hpp"

namespace timbre::cuda {

DeviceMelBands::DeviceMelBands(const features::FeatureOptions& options, cudaStream_t stream)
    : power_(static_cast<float>(options.power)) {
  const features::MelFilters filters(options);
  std::vector<std::int32_t> first, groups, offset;
  std::int32_t at = 0;
  for (const auto& f : filters.filters()) {
    first.push_back(f.first), groups.push_back(f.groups), offset.push_back(at);
    at += 8 * f.groups;
  }
  first_ = upload<std::int32_t>(first, stream);
  groups_ = upload<std::int32_t>(groups, stream);
  offset_ = upload<std::int32_t>(offset, stream);
  weights_ = upload(std::span<const float>(filters.weights()), stream);
  view_ = {
      first_.data(), groups_.data(), offset_.data(), weights_.data(), static_cast<std::int32_t>(first.size()),
      options.bins()};
}

void DeviceMelBands::enqueue(cudaStream_t stream, const float2* spectrum, std::int64_t first,
                             std::int64_t count, float* out) const {
  mel_bands(stream, spectrum, count, view_, power_, out + first * view_.bands);
}

DeviceDecibels::DeviceDecibels(std::optional<double> top_db, std::int64_t size, std::int64_t segments)
    : top_db_(top_db), size_(size), maxima_(top_db ? static_cast<std::size_t>(segments) : 0) {}

void DeviceDecibels::enqueue(cudaStream_t stream, std::int64_t segments, float* values) const {
  if (top_db_) {
    TIMBRE_CUDA_CHECK(
        cudaMemsetAsync(maxima_.data(), 0, static_cast<std::size_t>(segments) * sizeof(float), stream));
    segment_maxima(stream, values, segments, size_, maxima_.data());
  }
  to_decibels(stream, values, segments, size_, maxima_.data(), top_db_.value_or(0));
}

}  // namespace timbre::cuda
