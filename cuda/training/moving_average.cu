// The moving average of the weights, element by element.
#include "cuda/support/elementwise.cuh"
#include "cuda/training/moving_average.hpp"

namespace timbre::cuda {

namespace {

struct MoveAverage {
  training::MovingAverage rule;
  const std::int64_t* step;
  float *average, *arena;
  template <class Index>
  __device__ void operator()(Index i) const {
    rule.at_step (*step)(average[i], arena[i]);
  }
};

struct SwapAverage {
  float *average, *arena;
  template <class Index>
  __device__ void operator()(Index i) const {
    const float value = average[i];
    average[i] = arena[i];
    arena[i] = value;
  }
};

}  // namespace

void move_average(cudaStream_t stream, const training::MovingAverage& rule, const std::int64_t* step,
                  std::int64_t count, float* average, float* arena) {
  for_each_element(stream, count, MoveAverage{rule, step, average, arena});
}

void swap_average(cudaStream_t stream, std::int64_t count, float* average, float* arena) {
  for_each_element(stream, count, SwapAverage{average, arena});
}

}  // namespace timbre::cuda
