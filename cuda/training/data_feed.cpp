#include "cuda/training/data_feed.hpp"

#include <algorithm>
#include <cstring>

#include "core/error.hpp"

namespace timbre::cuda {

DataFeed::DataFeed(std::int64_t width, std::int64_t capacity, cudaStream_t stream, bool mixes)
    : width_(width),
      capacity_(capacity),
      stream_(stream),
      mixes_(mixes),
      batch_(sizeof(BatchHeader) +
             std::size_t(capacity) *
                 (sizeof(std::int32_t) + (mixes ? sizeof(std::int32_t) + sizeof(float) : 0))) {
  for (auto& h : headers_) h.host = PinnedArray<std::byte>(batch_.size());
}

void DataFeed::bind(const data::RowSource& source, const std::int32_t* labels) {
  release();
  source_ = &source, source_labels_ = labels;
  for (auto& w : windows_) w.rows.clear();
  const auto values = std::size_t(source.rows() * width_);
  std::size_t free = 0, total = 0;
  TIMBRE_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  free += features_.size() * sizeof(float) + labels_.size() * sizeof(std::int32_t);
  resident_ = values * sizeof(float) + std::size_t(source.rows()) * sizeof(std::int32_t) <= free / 2 &&
              find_room(source.rows());
  if (resident_) {
    make_resident(source, labels);
    return;
  }
  features_ = {}, labels_ = {};
  if (!copies_) copies_ = std::make_unique<Copies>();
  for (auto& w : windows_)
    if (w.features.size() == 0) {
      const auto batch = std::size_t(capacity_ * width_);
      w.host_features = PinnedArray<float>(batch), w.features = DeviceArray<float>(batch);
      w.host_labels = PinnedArray<std::int32_t>(std::size_t(capacity_)),
      w.labels = DeviceArray<std::int32_t>(std::size_t(capacity_));
    }
}

bool DataFeed::find_room(std::int64_t rows) {
  try {
    if (features_.size() < std::size_t(rows * width_)) {
      features_ = {};
      features_ = DeviceArray<float>(std::size_t(rows * width_));
    }
    if (labels_.size() < std::size_t(rows)) labels_ = DeviceArray<std::int32_t>(std::size_t(rows));
    return true;
  } catch (const Error&) {
    cudaGetLastError();  // else the next call would report it again
    return false;
  }
}

void DataFeed::make_resident(const data::RowSource& source, const std::int32_t* labels) {
  const auto rows = source.rows();
  // Two pinned buffers: one is filled while the other is copied.
  constexpr std::int64_t largest = std::int64_t{2} << 20;  // floats
  const auto at_once = std::clamp<std::int64_t>(largest / width_, 1, std::max<std::int64_t>(rows, 1));
  std::array<PinnedArray<float>, 2> buffers{PinnedArray<float>(std::size_t(at_once * width_)),
                                            PinnedArray<float>(std::size_t(at_once * width_))};
  std::array<Event, 2> copied{make_event(), make_event()};
  PinnedArray<std::int32_t> host_labels{std::size_t(rows)};
  std::copy_n(labels, rows, host_labels.data());
  if (rows > 0)
    TIMBRE_CUDA_CHECK(cudaMemcpyAsync(labels_.data(), host_labels.data(),
                                      std::size_t(rows) * sizeof(std::int32_t), cudaMemcpyHostToDevice,
                                      stream_));
  const WaitAtEnd end(stream_);  // where a row cannot be read
  std::size_t turn = 0;
  for (std::int64_t first = 0; first < rows; first += at_once, turn ^= 1) {
    const auto n = std::min(at_once, rows - first);
    if (first >= 2 * at_once) TIMBRE_CUDA_CHECK(cudaEventSynchronize(copied[turn]));
    for (std::int64_t i = 0; i < n; ++i)
      source.read(std::int32_t(first + i), buffers[turn].data() + i * width_);
    TIMBRE_CUDA_CHECK(cudaMemcpyAsync(features_.data() + first * width_, buffers[turn].data(),
                                      std::size_t(n * width_) * sizeof(float), cudaMemcpyHostToDevice,
                                      stream_));
    TIMBRE_CUDA_CHECK(cudaEventRecord(copied[turn], stream_));
  }
  TIMBRE_CUDA_CHECK(cudaStreamSynchronize(stream_));
}

void DataFeed::release() {
  if (in_use_) TIMBRE_CUDA_CHECK(cudaEventRecord(in_use_->used, stream_));
  in_use_ = nullptr;
}

DataFeed::Window& DataFeed::stage(std::span<const std::int32_t> rows) {
  for (auto& w : windows_)
    if (std::ranges::equal(w.rows, rows)) return w;
  Window& w = windows_[next_window_];
  next_window_ = (next_window_ + 1) % windows_.size();
  TIMBRE_CUDA_CHECK(cudaEventSynchronize(w.copied));  // until then its pinned memory is being read
  w.rows.clear();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    source_->read(rows[i], w.host_features.data() + std::int64_t(i) * width_);
    w.host_labels.data()[i] = source_labels_[rows[i]];
  }
  TIMBRE_CUDA_CHECK(cudaStreamWaitEvent(copies_->stream, w.used, 0));
  TIMBRE_CUDA_CHECK(cudaMemcpyAsync(w.features.data(), w.host_features.data(),
                                    rows.size() * std::size_t(width_) * sizeof(float), cudaMemcpyHostToDevice,
                                    copies_->stream));
  TIMBRE_CUDA_CHECK(cudaMemcpyAsync(w.labels.data(), w.host_labels.data(), rows.size_bytes(),
                                    cudaMemcpyHostToDevice, copies_->stream));
  TIMBRE_CUDA_CHECK(cudaEventRecord(w.copied, copies_->stream));
  w.rows.assign(rows.begin(), rows.end());
  return w;
}

void DataFeed::prefetch(std::span<const std::int32_t> rows) {
  if (resident_ || rows.empty()) return;
  release();
  stage(rows);
}

void DataFeed::next(std::span<const std::int32_t> rows, const training::Mixture* mixture) {
  Header& h = headers_[next_header_];
  next_header_ = (next_header_ + 1) % headers_.size();
  TIMBRE_CUDA_CHECK(cudaEventSynchronize(h.copied));  // which also keeps the host from running far ahead
  auto* index = reinterpret_cast<std::int32_t*>(h.host.data() + sizeof(BatchHeader));
  BatchHeader header{features_.data(), labels_.data(), std::int32_t(rows.size()), 0};
  std::fill_n(index, capacity_, 0);
  if (resident_) {
    std::copy(rows.begin(), rows.end(), index);
  } else {
    release();
    Window& w = stage(rows);
    TIMBRE_CUDA_CHECK(cudaStreamWaitEvent(stream_, w.copied, 0));
    header.features = w.features.data(), header.labels = w.labels.data();
    for (std::size_t i = 0; i < rows.size(); ++i) index[i] = std::int32_t(i);
    in_use_ = &w;
  }
  if (mixes_) {
    auto* others = index + capacity_;
    auto* shares = reinterpret_cast<float*>(others + capacity_);
    std::copy_n(index, capacity_, others), std::fill_n(shares, capacity_, 1.0f);
    for (std::size_t i = 0; mixture && i < rows.size(); ++i)
      others[i] = index[mixture->partner[i]], shares[i] = mixture->share[i];
  }
  std::memcpy(h.host.data(), &header, sizeof header);
  TIMBRE_CUDA_CHECK(
      cudaMemcpyAsync(batch_.data(), h.host.data(), batch_.size(), cudaMemcpyHostToDevice, stream_));
  TIMBRE_CUDA_CHECK(cudaEventRecord(h.copied, stream_));
}

}  // namespace timbre::cuda
