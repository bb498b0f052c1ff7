// adam: its rule (training/optimizers/adam.hpp) over the arena.
#include "training/optimizers/adam.hpp"
#include "training/update.cuh"

namespace timbre::cuda {

inline const AddRule<training::AdamOptions> adam;

}  // namespace timbre::cuda
