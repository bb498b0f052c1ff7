#include "cuda/training/memory_needed.hpp"

#include <algorithm>
#include <tuple>

#include "cuda/support/blas.hpp"
#include "device/algorithms.hpp"

namespace timbre::cuda {

namespace {

/// What a layer keeps for each value that it puts out; recurrent ones for each unit and step: gates, states and their gradients.
constexpr std::int64_t kept = 2, kept_by_recurrent = 16;

/// Floats of a network with batches of this many rows.
std::int64_t network_floats(const nn::Model& model, std::int64_t rows) {
  const auto largest_window = device::tuned_number("TIMBRE_CUDA_WINDOW_FLOATS");
  auto floats = rows * model.input().size();
  for (const auto& layer : model.layers()) {
    bool recurrent = false;
    for (const int index : layer.parameters) {
      const auto& [name, kernel] = std::tie(model.parameters()[std::size_t(index)].spec.name,
                                            model.parameters()[std::size_t(index)].spec.shape);
      if (name.ends_with("recurrent_kernel")) {
        recurrent = true;
        const auto units = kernel[0], width = kernel[1], inputs = layer.input[1];
        // In cuDNN's order, with two biases: the weights, and in training their gradients.
        floats += 2 * (inputs + units + 2) * width;
        floats += rows * layer.input[0] * (kept_by_recurrent * units + 2 * inputs);
      }
      if (kernel.rank() < 3) continue;
      // A convolution's window matrix: a row for each place of its output, and the same for the way back.
      const auto filters = kernel[kernel.rank() - 1];
      const auto matrix = rows * layer.output.size() / filters * (kernel.size() / filters);
      floats += 2 * std::min(matrix, std::max(largest_window, matrix / std::max<std::int64_t>(rows, 1)));
    }
    // Among masked steps it gives sequences, and has its input and output a second time (layers/skipping.hpp).
    if (recurrent && layer.mask >= 0)
      floats += rows * (2 * layer.input.size() +
                        layer.input[0] * ((3 + kept_by_recurrent) * layer.output.back() + 3));
    floats += rows * ((1 + kept) * layer.output.size() + layer.input.size());
  }
  return floats;
}

}  // namespace

std::int64_t own_memory_needed(const training::StepOptions& options, std::int64_t rows) {
  const auto& model = *options.model;
  const auto evaluated = std::max(options.batch_size, device::tuned_number("TIMBRE_CUDA_EVALUATION_ROWS"));
  std::int64_t widest = model.input().size(),
               ways = 2;  // gradients on their way back; blocks have two branches
  for (const auto& layer : model.layers()) {
    widest = std::max(widest, layer.output.size());
    if (layer.other >= 0) ways = 4;
  }
  const auto slots = options.optimizer->slots() + (options.average ? 1 : 0);
  const auto frozen = model.arena_size() - model.trainable_size();  // gradients that no step uses
  const auto floats = 2 * model.arena_size() + frozen + (2 + slots) * model.trainable_size() +
                      ways * options.batch_size * widest + network_floats(model, options.batch_size) +
                      network_floats(model, evaluated) + rows * (model.input().size() + 1) +  // with a label
                      (options.clipping ? model.trainable_size() / 16 : 0);                   // by chunks
  constexpr std::int64_t small_things = std::int64_t{64} << 10;  // counters, tables, indices
  return Blas::work_bytes + floats * std::int64_t(sizeof(float)) + small_things;
}

}  // namespace timbre::cuda
