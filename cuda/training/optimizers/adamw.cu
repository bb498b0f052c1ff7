// adamw: its rule (training/optimizers/adamw.hpp) over the arena.
#include "cuda/training/update.cuh"
#include "training/optimizers/adamw.hpp"

namespace timbre::cuda {
inline const AddRule<training::AdamwOptions> adamw;
}  // namespace timbre::cuda
