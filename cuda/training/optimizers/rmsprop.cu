// rmsprop: its rule (training/optimizers/rmsprop.hpp) over the arena.
#include "training/optimizers/rmsprop.hpp"
#include "training/update.cuh"

namespace timbre::cuda {

inline const AddRule<training::RmspropOptions> rmsprop;

}  // namespace timbre::cuda
