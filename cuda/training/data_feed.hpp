// Batches for the training step: which rows, and where their data lie, always at the same address in device
// memory.
//
// Data that fit into half of the free device memory are copied there once, by bind(), and a batch is its row
// indices. Larger data, and those whose room another run took first, stay where they are and stream: the rows
// of a batch are copied to one of a few windows on a stream of their own, while the step before is computed.
// Either way a step finds a BatchHeader at header() and what rows() points to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cuda/support/handles.hpp"
#include "cuda/support/memory.hpp"
#include "cuda/training/step_state.hpp"
#include "data/row_source.hpp"
#include "training/mixup.hpp"

namespace timbre::cuda {

class DataFeed {
 public:
  /// Rows of `width` floats, `capacity` of them at most in a batch; steps run on `stream`. mixes: whether batches may be mixed.
  DataFeed(std::int64_t width, std::int64_t capacity, cudaStream_t stream, bool mixes = false);
  /// The data from now on; labels [source.rows()]. Neither is copied where they stream.
  void bind(const data::RowSource& source, const std::int32_t* labels);
  bool resident() const { return resident_; }
  /// These rows will be asked for soon. Returns when they have been read.
  void prefetch(std::span<const std::int32_t> rows);
  /// Work that is enqueued from now on, until the next call, finds these rows, and how they are mixed, if at all.
  void next(std::span<const std::int32_t> rows, const training::Mixture* mixture = nullptr);

  const BatchHeader* header() const { return reinterpret_cast<const BatchHeader*>(batch_.data()); }
  BatchRows rows() const {
    const auto* rows = reinterpret_cast<const std::int32_t*>(batch_.data() + sizeof(BatchHeader));
    if (!mixes_) return {rows};
    return {rows, rows + capacity_, reinterpret_cast<const float*>(rows + 2 * capacity_)};
  }

 private:
  struct Window {
    std::vector<std::int32_t> rows;    // what it holds
    PinnedArray<float> host_features;  // [capacity, width]
    PinnedArray<std::int32_t> host_labels;
    DeviceArray<float> features;
    DeviceArray<std::int32_t> labels;
    Event copied = make_event(), used = make_event();
  };
  struct Header {
    PinnedArray<std::byte> host;
    Event copied = make_event();
  };

  bool find_room(std::int64_t rows);
  void make_resident(const data::RowSource& source, const std::int32_t* labels);
  Window& stage(std::span<const std::int32_t> rows);
  void release();

  std::int64_t width_, capacity_;
  cudaStream_t stream_;
  bool mixes_;
  DeviceArray<std::byte> batch_;
  std::array<Header, 4> headers_;
  std::size_t next_header_ = 0;

  const data::RowSource* source_ = nullptr;
  const std::int32_t* source_labels_ = nullptr;
  bool resident_ = false;
  DeviceArray<float> features_;  // resident data
  DeviceArray<std::int32_t> labels_;
  std::array<Window, 4> windows_;  // of data that stream: one in use, one or two under way, one free
  std::size_t next_window_ = 0;
  Window* in_use_ = nullptr;
  /// The stream of the windows' copies, from when data stream; they are waited for before the windows go.
  struct Copies {
    Stream stream = make_stream();
    WaitAtEnd end{stream};
  };
  std::unique_ptr<Copies> copies_;
};

}  // namespace timbre::cuda
