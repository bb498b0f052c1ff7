// rmsprop: its rule (training/optimizers/rmsprop.hpp) over the arena.
#include "cuda/training/update.cuh"
#include "training/optimizers/rmsprop.hpp"

namespace timbre::cuda {

inline const AddRule<training::RmspropOptions> rmsprop;

}  // namespace timbre::cuda
