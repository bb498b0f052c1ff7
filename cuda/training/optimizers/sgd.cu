// sgd: its rule (training/optimizers/sgd.hpp) over the arena.
#include "training/optimizers/sgd.hpp"
#include "training/update.cuh"

namespace timbre::cuda {

inline const AddRule<training::SgdOptions> sgd;

}  // namespace timbre::cuda
