#include <vector>

#include "host/dnn_types.hpp"
#include "host/recurrent.hpp"

namespace simt {
Dnn& dnn() {
  static Dnn d;
  return d;
}

namespace {

/// Recurrent layers on top of each other. The reserve holds for each, one after the other: that of its sequence, its y, what dropout
/// leaves of it, and the masks.
struct Stack {
  Sequence first;
  int layers;
  float rate;
  void* states;

  std::int64_t cells() const { return std::int64_t(first.steps) * first.rows; }
  Sequence at(int l) const {
    return {first.steps, first.rows, l > 0 ? first.units : first.inputs, first.units, first.gates};
  }
  std::int64_t weights_before(int l) const {
    std::int64_t floats = 0;
    for (int k = 0; k < l; ++k) floats += std::int64_t(at(k).space().bytes() / sizeof(float));
    return floats;
  }
  std::size_t weight_bytes() const { return std::size_t(weights_before(layers)) * sizeof(float); }
  std::int64_t layer_floats() const { return cells() * 8 * first.units; }
  std::size_t reserve_bytes() const { return std::size_t(layers * layer_floats()) * sizeof(float); }
  float* gates(float* reserve, int l) const { return reserve + l * layer_floats(); }
  float* y(float* reserve, int l) const { return gates(reserve, l) + cells() * 5 * first.units; }
  float* dropped(float* reserve, int l) const { return gates(reserve, l) + cells() * 6 * first.units; }
  float* masks(float* reserve, int l) const { return gates(reserve, l) + cells() * 7 * first.units; }

  void forward(const float* weights, const float* x, float* top, float* reserve, bool training) const {
    const auto n = cells() * first.units;
    for (int l = 0; l < layers; ++l) {
      float* const out = l + 1 < layers ? y(reserve, l) : top;
      at(l).forward(weights + weights_before(l), x, out, gates(reserve, l));
      if (l + 1 == layers) return;
      if (training && rate > 0)
        draw_masks(rate, states, n, masks(reserve, l));
      else
        std::fill_n(masks(reserve, l), n, 1.0f);
      for (std::int64_t i = 0; i < n; ++i) dropped(reserve, l)[i] = out[i] * masks(reserve, l)[i];
      x = dropped(reserve, l);
    }
  }
  void backward_data(const float* weights, const float* dy, float* dx, float* reserve) const {
    std::vector<float> between;
    for (int l = layers; l-- > 0;) {
      std::vector<float> below(std::size_t(cells() * at(l).inputs));
      at(l).backward_data(weights + weights_before(l), l + 1 < layers ? between.data() : dy,
                          l > 0 ? below.data() : dx, gates(reserve, l));
      for (std::size_t i = 0; l > 0 && i < below.size(); ++i) below[i] *= masks(reserve, l - 1)[i];
      between = std::move(below);
    }
  }
  void backward_weights(const float* x, const float* top, float* gradients, float* reserve) const {
    for (int l = 0; l < layers; ++l)
      at(l).backward_weights(l > 0 ? dropped(reserve, l - 1) : x, l + 1 < layers ? y(reserve, l) : top,
                             gradients + weights_before(l), gates(reserve, l));
  }
};

Stack stack_of(cudnnRNNDescriptor_t rnn, cudnnRNNDataDescriptor_t x) {
  return {{x->steps, x->rows, rnn->inputs, rnn->units, rnn->gates},
          rnn->layers,
          rnn->dropout ? rnn->dropout->rate : 0,
          rnn->dropout ? rnn->dropout->states : nullptr};
}

bool fits(cudnnRNNDescriptor_t rnn, cudnnRNNDataDescriptor_t x, cudnnRNNDataDescriptor_t y) {
  return x->size == rnn->inputs && y->size == rnn->units && y->steps == x->steps && y->rows == x->rows &&
         x->padded == rnn->padded && y->padded == rnn->padded;
}
bool state_fits(const Stack& s, cudnnTensorDescriptor_t h) {
  return h->extents == std::vector<int>{s.layers, s.first.rows, s.first.units};
}

}  // namespace
}  // namespace simt

using namespace simt;

const char* cudnnGetErrorString(cudnnStatus_t s) {
  switch (s) {
    case CUDNN_STATUS_SUCCESS:
      return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_SUPPORTED:
      return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_BAD_PARAM:
      return "CUDNN_STATUS_BAD_PARAM";
    default:
      return "CUDNN_STATUS_EXECUTION_FAILED";
  }
}
cudnnStatus_t cudnnCreate(cudnnHandle_t* h) {
  synchronise_device();
  ++dnn().handles;
  return create(h);
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t h) {
  synchronise_device();
  return destroy(h);
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t h, cudaStream_t stream) {
  SIMT_DNN_CALL;
  use_of(h->device);
  h->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* d) { return create(d); }
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t d) { return destroy(d); }
cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t d, cudnnDataType_t, int rank,
                                         const int* extents, const int* strides) {
  SIMT_DNN_CALL;
  d->extents.assign(extents, extents + rank), d->strides.assign(strides, strides + rank);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetTensorNdDescriptor(cudnnTensorDescriptor_t d, int asked, cudnnDataType_t* type,
                                         int* rank, int* extents, int* strides) {
  SIMT_DNN_CALL;
  *type = CUDNN_DATA_FLOAT, *rank = int(d->extents.size());
  for (int i = 0; i < std::min(asked, *rank); ++i)
    extents[i] = d->extents[std::size_t(i)], strides[i] = d->strides[std::size_t(i)];
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t* d) { return create(d); }
cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t d) { return destroy(d); }
cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t d, cudnnRNNAlgo_t algorithm, cudnnRNNMode_t cell,
                                       cudnnRNNBiasMode_t biases, cudnnDirectionMode_t, cudnnRNNInputMode_t,
                                       cudnnDataType_t, cudnnDataType_t, cudnnMathType_t, std::int32_t inputs,
                                       std::int32_t hidden, std::int32_t projected, std::int32_t layers,
                                       cudnnDropoutDescriptor_t dropout, std::uint32_t flags) {
  SIMT_DNN_CALL;
  if (inputs < 1 || hidden < 1 || projected != hidden || layers < 1 || biases != CUDNN_RNN_DOUBLE_BIAS ||
      (dropout && !dropout->set) || (cell != CUDNN_LSTM && cell != CUDNN_GRU))
    return CUDNN_STATUS_BAD_PARAM;
  const bool padded = flags == CUDNN_RNN_PADDED_IO_ENABLED;
  if (algorithm != CUDNN_RNN_ALGO_STANDARD && dnn().persistent) return dnn().persistent;
  if (algorithm != CUDNN_RNN_ALGO_STANDARD && !padded && dnn().persistent_packed)
    return dnn().persistent_packed;
  *d = {algorithm, cell == CUDNN_GRU ? 3 : 4, inputs, hidden, layers, padded, dropout};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t* d) { return create(d); }
cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t d) { return destroy(d); }
cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t d, cudnnDataType_t,
                                        cudnnRNNDataLayout_t layout, int steps, int rows, int size,
                                        const int* lengths, void* padding) {
  SIMT_DNN_CALL;
  for (int r = 0; r < rows; ++r)
    if (lengths[r] != steps) return CUDNN_STATUS_NOT_SUPPORTED;
  const bool padded = layout == CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED;
  if (padded && !padding) return CUDNN_STATUS_BAD_PARAM;
  *d = {steps, rows, size, padded};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t h, cudnnRNNDescriptor_t d, cudnnForwardMode_t mode,
                                        cudnnRNNDataDescriptor_t x, std::size_t* work, std::size_t* reserve) {
  SIMT_DNN_CALL;
  if (!h) return CUDNN_STATUS_BAD_PARAM;
  const auto bytes = stack_of(d, x).reserve_bytes();
  *work = mode == CUDNN_FWD_MODE_TRAINING ? 64 : bytes,
  *reserve = mode == CUDNN_FWD_MODE_TRAINING ? bytes : 0;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t h, cudnnRNNDescriptor_t d, std::size_t* bytes) {
  SIMT_DNN_CALL;
  if (!h) return CUDNN_STATUS_BAD_PARAM;
  *bytes = Stack{{0, 0, d->inputs, d->units, d->gates}, d->layers, 0, nullptr}.weight_bytes();
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t, cudnnRNNDescriptor_t d, std::int32_t layer,
                                      std::size_t bytes, const void* space, std::int32_t which,
                                      cudnnTensorDescriptor_t m, void** matrix, cudnnTensorDescriptor_t b,
                                      void** bias) {
  SIMT_DNN_CALL;
  const Stack stack{{0, 0, d->inputs, d->units, d->gates}, d->layers, 0, nullptr};
  if (bytes != stack.weight_bytes() || which < 0 || which >= 2 * d->gates || layer < 0 || layer >= d->layers)
    return CUDNN_STATUS_BAD_PARAM;
  const Space s = stack.at(layer).space();
  auto* base = static_cast<float*>(const_cast<void*>(space)) + stack.weights_before(layer);
  const int gate = which % s.gates, columns = which < s.gates ? s.inputs : s.units;
  *matrix = base + (which < s.gates ? s.kernel(gate) : s.recurrent(gate)),
  *bias = base + (which < s.gates ? s.bias_1(gate) : s.bias_2(gate));
  m->extents = {1, s.units, columns}, m->strides = {s.units * columns, columns, 1};
  b->extents = {1, s.units, 1}, b->strides = {s.units, 1, 1};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnRNNForward(cudnnHandle_t h, cudnnRNNDescriptor_t d, cudnnForwardMode_t mode,
                              const std::int32_t*, cudnnRNNDataDescriptor_t xd, const void* x,
                              cudnnRNNDataDescriptor_t yd, void* y, cudnnTensorDescriptor_t hd,
                              const void* hx, void*, cudnnTensorDescriptor_t, const void* cx, void*,
                              std::size_t weight_bytes, const void* weights, std::size_t work_bytes,
                              void* work, std::size_t reserve_bytes, void* reserve) {
  SIMT_DNN_CALL;
  const auto s = stack_of(d, xd);
  const bool training = mode == CUDNN_FWD_MODE_TRAINING;
  if (!fits(d, xd, yd) || !state_fits(s, hd) || hx || cx || weight_bytes != s.weight_bytes() ||
      (training ? reserve_bytes : work_bytes) < s.reserve_bytes())
    return CUDNN_STATUS_BAD_PARAM;
  enqueue_work(h->stream, [=] {
    s.forward(static_cast<const float*>(weights), static_cast<const float*>(x), static_cast<float*>(y),
              static_cast<float*>(training ? reserve : work), training);
  });
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnRNNBackwardData_v8(cudnnHandle_t h, cudnnRNNDescriptor_t d, const std::int32_t*,
                                      cudnnRNNDataDescriptor_t yd, const void*, const void* dy,
                                      cudnnRNNDataDescriptor_t xd, void* dx, cudnnTensorDescriptor_t hd,
                                      const void*, const void*, void*, cudnnTensorDescriptor_t, const void*,
                                      const void*, void*, std::size_t weight_bytes, const void* weights,
                                      std::size_t, void*, std::size_t reserve_bytes, void* reserve) {
  SIMT_DNN_CALL;
  const auto s = stack_of(d, xd);
  if (!dx || !fits(d, xd, yd) || !state_fits(s, hd) || weight_bytes != s.weight_bytes() ||
      reserve_bytes < s.reserve_bytes())
    return CUDNN_STATUS_BAD_PARAM;
  if (d->algorithm != CUDNN_RNN_ALGO_STANDARD && dnn().persistent_backward) return dnn().persistent_backward;
  enqueue_work(h->stream, [=] {
    s.backward_data(static_cast<const float*>(weights), static_cast<const float*>(dy),
                    static_cast<float*>(dx), static_cast<float*>(reserve));
  });
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnRNNBackwardWeights_v8(cudnnHandle_t h, cudnnRNNDescriptor_t d, cudnnWgradMode_t,
                                         const std::int32_t*, cudnnRNNDataDescriptor_t xd, const void* x,
                                         cudnnTensorDescriptor_t hd, const void*, cudnnRNNDataDescriptor_t yd,
                                         const void* y, std::size_t weight_bytes, void* gradients,
                                         std::size_t, void*, std::size_t reserve_bytes, void* reserve) {
  SIMT_DNN_CALL;
  const auto s = stack_of(d, xd);
  if (!fits(d, xd, yd) || !state_fits(s, hd) || weight_bytes != s.weight_bytes() ||
      reserve_bytes < s.reserve_bytes())
    return CUDNN_STATUS_BAD_PARAM;
  enqueue_work(h->stream, [=] {
    s.backward_weights(static_cast<const float*>(x), static_cast<const float*>(y),
                       static_cast<float*>(gradients), static_cast<float*>(reserve));
  });
  return CUDNN_STATUS_SUCCESS;
}
