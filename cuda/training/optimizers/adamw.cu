// adamw: its rule (training/optimizers/adamw.hpp) over the arena.
#include "training/optimizers/adamw.hpp"
#include "training/update.cuh"

namespace timbre::cuda {
inline const AddRule<training::AdamwOptions> adamw;
}  // namespace timbre::cuda
