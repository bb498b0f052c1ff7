// nadam: its rule (training/optimizers/nadam.hpp) over the arena.
#include "cuda/training/update.cuh"
#include "training/optimizers/nadam.hpp"

namespace timbre::cuda {
inline const AddRule<training::NadamOptions> nadam;
}  // namespace timbre::cuda
