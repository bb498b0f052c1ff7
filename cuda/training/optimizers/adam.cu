// adam: its rule (training/optimizers/adam.hpp) over the arena.
#include "cuda/training/update.cuh"
#include "training/optimizers/adam.hpp"

namespace timbre::cuda {

inline const AddRule<training::AdamOptions> adam;

}  // namespace timbre::cuda
