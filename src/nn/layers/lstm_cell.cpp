#include "nn/layers/lstm_cell.hpp"

namespace timbre {
using nn::LstmBackward, nn::LstmCell, nn::LstmForward, nn::LstmSize;
}

#define TIMBRE_KERNELS "nn/layers/lstm_cell_kernels.inc"
#include "core/each_target.inc"

namespace timbre::nn {

const LstmCell& lstm_cell_for(Isa isa) { return TIMBRE_FOR(isa, lstm_cell); }

}  // namespace timbre::nn
