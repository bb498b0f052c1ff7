// A model at work on one device, forwards only: what prediction and evaluation build, and nothing else. It has no loss,
// no gradients, no optimizer.
//
//   x [rows, input...] -> probabilities [rows, classes], the softmax of the last layer
//
// Dropout is off, and batch normalisation uses its moving statistics. A row has the same numbers alone and among others.
// Device plug-ins have their own (device/backend.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/parallel.hpp"
#include "nn/model.hpp"

namespace timbre::nn {

struct NetworkOptions {
  const Model* model = nullptr;    // outlives the network
  std::span<const float> weights;  // [arena_size], in the layout of Model's arena; they are copied
  std::int64_t rows_at_once = 64;  // memory grows with them
};

class Network {
 public:
  virtual ~Network() = default;
  /// Any number of rows. Throws Error where the device fails.
  virtual void predict(const float* x, std::int64_t rows, float* probabilities) = 0;
  /// The back end's choices and their reasons, for the log: whole lines, each once.
  virtual std::vector<std::string> notes() { return {}; }
};

/// The network of a device ("cpu", "cuda": as device::choose gave it). The pool is for the host's share of the work, and
/// outlives it. Throws Error where the device fails or has no memory left.
std::unique_ptr<Network> make_network(const std::string& device, const NetworkOptions& options,
                                      ThreadPool& pool);

/// The CPU's.
std::unique_ptr<Network> make_cpu_network(const NetworkOptions& options, ThreadPool& pool);

}  // namespace timbre::nn
