// sgd: its rule (training/optimizers/sgd.hpp) over the arena.
#include "cuda/training/update.cuh"
#include "training/optimizers/sgd.hpp"

namespace timbre::cuda {

inline const AddRule<training::SgdOptions> sgd;

}  // namespace timbre::cuda
