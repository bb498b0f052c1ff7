#include "layers/lstm_recurrence.cuh"
#include "support/tuning.hpp"

namespace timbre::cuda {
namespace {

/// Up to this many rows a block has one: as long as all blocks run at once (a Hopper has 132
/// multiprocessors), fewer rows a block are quicker; beyond, two rows share what a weight in shared memory
/// costs.
bool one_row_a_block(std::int32_t rows) { return rows <= tuning("TIMBRE_LSTM_SINGLE_ROWS", 128); }

template <class Weights, int rows, class Run>
void enqueue(cudaStream_t stream, void (*kernel)(Run), const Run& run) {
  launch(kernel, dim3(static_cast<unsigned>((run.size.rows + rows - 1) / rows)), dim3(recurrence_threads),
         Weights::shared_bytes, stream, run);
}
template <int padded, int rows, int kept>
void enqueue(cudaStream_t stream, const LstmForwardRun& run) {
  enqueue<typename ForwardTiling<padded, kept>::Weights, rows>(stream,
                                                               lstm_forward_kernel<padded, rows, kept>, run);
}
template <int padded, int rows, int kept>
void enqueue(cudaStream_t stream, const LstmBackwardRun& run) {
  enqueue<typename BackwardTiling<padded, kept>::Weights, rows>(
      stream, lstm_backward_kernel<padded, rows, kept>, run);
}

/// Of the vectors of weights as many are kept in registers as let nvcc spill 16 bytes at most (13.0, sm_80
/// and sm_90: -Xptxas -v).
template <class Run>
void enqueue_for_size(cudaStream_t stream, const Run& run) {
  if (run.size.units <= 64)
    enqueue<64, 1, 4>(stream, run);
  else if (one_row_a_block(run.size.rows))
    enqueue<128, 1, 12>(stream, run);
  else
    enqueue<128, 2, 11>(stream, run);
}

}  // namespace

void lstm_forward(cudaStream_t stream, const LstmForwardRun& run) { enqueue_for_size(stream, run); }
void lstm_backward(cudaStream_t stream, const LstmBackwardRun& run) { enqueue_for_size(stream, run); }

}  // namespace timbre::cuda
