#include <cmath>
#include <vector>

#include "cudnn.h"
#include "host/device.hpp"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};
struct cudnnTensorStruct {
  std::vector<int> extents, strides;
};
struct cudnnDropoutStruct {
  bool set = false;
};
struct cudnnRNNStruct {
  cudnnRNNAlgo_t algorithm;
  int inputs = 0, units = 0;
};
struct cudnnRNNDataStruct {
  int steps = 0, rows = 0, size = 0;
};

namespace simt {
Dnn& dnn() {
  static Dnn d;
  return d;
}

namespace {

template <class T>
cudnnStatus_t create(T** out) {
  if (call_fails()) return CUDNN_STATUS_EXECUTION_FAILED;
  *out = new T;
  ++device().live;
  return CUDNN_STATUS_SUCCESS;
}
template <class T>
cudnnStatus_t destroy(T* p) {
  delete p;
  --device().live;
  return CUDNN_STATUS_SUCCESS;
}

/// The weight space: for each gate, from the last to the first: second bias, R [u, u], first bias, W [u, F].
struct Space {
  int inputs, units;
  std::int64_t gate_size() const { return std::int64_t(units) * (inputs + units + 2); }
  std::int64_t bias_2(int gate) const { return (3 - gate) * gate_size(); }
  std::int64_t recurrent(int gate) const { return bias_2(gate) + units; }
  std::int64_t bias_1(int gate) const { return recurrent(gate) + std::int64_t(units) * units; }
  std::int64_t kernel(int gate) const { return bias_1(gate) + units; }
  std::size_t bytes() const { return std::size_t(4 * gate_size()) * sizeof(float); }
};

/// One run over sequences. The reserve holds, per step and row: gates i f g o (in backward their dz), c.
struct Sequence {
  int steps, rows, inputs, units;
  Space space() const { return {inputs, units}; }
  std::size_t reserve_bytes() const {
    return std::size_t(steps) * std::size_t(rows) * std::size_t(5 * units) * sizeof(float);
  }
  float* gates(float* reserve, int t, int row) const {
    return reserve + (std::int64_t(t) * rows + row) * 5 * units;
  }
  float* cell(float* reserve, int t, int row) const { return gates(reserve, t, row) + 4 * units; }

  static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

  void forward(const float* weights, const float* x, float* y, float* reserve) const {
    const Space s = space();
    for (int t = 0; t < steps; ++t)
      for (int r = 0; r < rows; ++r) {
        const float* h = t > 0 ? y + (std::int64_t(t - 1) * rows + r) * units : nullptr;
        float *z = gates(reserve, t, r), *c = cell(reserve, t, r);
        for (int g = 0; g < 4; ++g)
          for (int u = 0; u < units; ++u) {
            double sum = double(weights[s.bias_1(g) + u]) + weights[s.bias_2(g) + u];
            for (int i = 0; i < inputs; ++i)
              sum += double(weights[s.kernel(g) + std::int64_t(u) * inputs + i]) *
                     x[(std::int64_t(t) * rows + r) * inputs + i];
            for (int i = 0; h && i < units; ++i)
              sum += double(weights[s.recurrent(g) + std::int64_t(u) * units + i]) * h[i];
            z[g * units + u] = float(g == 2 ? std::tanh(sum) : sigmoid(sum));
          }
        for (int u = 0; u < units; ++u) {
          const double before = t > 0 ? cell(reserve, t - 1, r)[u] : 0;
          c[u] = float(double(z[units + u]) * before + double(z[u]) * z[2 * units + u]);
          y[(std::int64_t(t) * rows + r) * units + u] = float(z[3 * units + u] * std::tanh(double(c[u])));
        }
      }
  }

  /// Leaves dz in the reserve, for backward_weights.
  void backward_data(const float* weights, const float* dy, float* dx, float* reserve) const {
    const Space s = space();
    for (int r = 0; r < rows; ++r) {
      std::vector<double> dh(std::size_t(units), 0.0), dc(std::size_t(units), 0.0);
      for (int t = steps - 1; t >= 0; --t) {
        float *z = gates(reserve, t, r), *c = cell(reserve, t, r);
        for (int u = 0; u < units; ++u) {
          const auto k = std::size_t(u);
          const double i = z[u], f = z[units + u], g = z[2 * units + u], o = z[3 * units + u],
                       tanh_c = std::tanh(double(c[u]));
          const double before = t > 0 ? cell(reserve, t - 1, r)[u] : 0;
          const double d = dh[k] + dy[(std::int64_t(t) * rows + r) * units + u];
          const double e = dc[k] + d * o * (1 - tanh_c * tanh_c);
          z[u] = float(e * g * i * (1 - i)), z[units + u] = float(e * before * f * (1 - f));
          z[2 * units + u] = float(e * i * (1 - g * g)), z[3 * units + u] = float(d * tanh_c * o * (1 - o));
          dc[k] = e * f;
        }
        for (int k = 0; k < units; ++k) {
          double sum = 0;
          for (int g = 0; g < 4; ++g)
            for (int u = 0; u < units; ++u)
              sum += double(z[g * units + u]) * weights[s.recurrent(g) + std::int64_t(u) * units + k];
          dh[std::size_t(k)] = sum;
        }
        for (int k = 0; k < inputs; ++k) {
          double sum = 0;
          for (int g = 0; g < 4; ++g)
            for (int u = 0; u < units; ++u)
              sum += double(z[g * units + u]) * weights[s.kernel(g) + std::int64_t(u) * inputs + k];
          dx[(std::int64_t(t) * rows + r) * inputs + k] = float(sum);
        }
      }
    }
  }

  void backward_weights(const float* x, const float* y, float* gradients, float* reserve) const {
    const Space s = space();
    for (int g = 0; g < 4; ++g)
      for (int u = 0; u < units; ++u) {
        double bias = 0;
        std::vector<double> w(std::size_t(inputs), 0.0), r_(std::size_t(units), 0.0);
        for (int t = 0; t < steps; ++t)
          for (int r = 0; r < rows; ++r) {
            const double dz = gates(reserve, t, r)[g * units + u];
            bias += dz;
            for (int i = 0; i < inputs; ++i)
              w[std::size_t(i)] += dz * x[(std::int64_t(t) * rows + r) * inputs + i];
            for (int i = 0; t > 0 && i < units; ++i)
              r_[std::size_t(i)] += dz * y[(std::int64_t(t - 1) * rows + r) * units + i];
          }
        gradients[s.bias_1(g) + u] += float(bias), gradients[s.bias_2(g) + u] += float(bias);
        for (int i = 0; i < inputs; ++i)
          gradients[s.kernel(g) + std::int64_t(u) * inputs + i] += float(w[std::size_t(i)]);
        for (int i = 0; i < units; ++i)
          gradients[s.recurrent(g) + std::int64_t(u) * units + i] += float(r_[std::size_t(i)]);
      }
  }
};

Sequence sequence_of(cudnnRNNDescriptor_t rnn, cudnnRNNDataDescriptor_t x) {
  return {x->steps, x->rows, rnn->inputs, rnn->units};
}

bool fits(const Sequence& s, cudnnRNNDataDescriptor_t x, cudnnRNNDataDescriptor_t y) {
  return x->size == s.inputs && y->size == s.units && y->steps == s.steps && y->rows == s.rows;
}
bool state_fits(const Sequence& s, cudnnTensorDescriptor_t h) {
  return h->extents == std::vector<int>{1, s.rows, s.units};
}

}  // namespace
}  // namespace simt

using namespace simt;
#define SIMT_DNN_CALL \
  if (call_fails()) return CUDNN_STATUS_EXECUTION_FAILED

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
cudnnStatus_t cudnnCreate(cudnnHandle_t* h) { return create(h); }
cudnnStatus_t cudnnDestroy(cudnnHandle_t h) { return destroy(h); }
cudnnStatus_t cudnnSetStream(cudnnHandle_t h, cudaStream_t stream) {
  SIMT_DNN_CALL;
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
cudnnStatus_t cudnnCreateDropoutDescriptor(cudnnDropoutDescriptor_t* d) { return create(d); }
cudnnStatus_t cudnnDestroyDropoutDescriptor(cudnnDropoutDescriptor_t d) { return destroy(d); }
cudnnStatus_t cudnnSetDropoutDescriptor(cudnnDropoutDescriptor_t d, cudnnHandle_t h, float rate, void*,
                                        std::size_t, unsigned long long) {
  SIMT_DNN_CALL;
  if (!h || rate != 0) return CUDNN_STATUS_BAD_PARAM;
  d->set = true;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t* d) { return create(d); }
cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t d) { return destroy(d); }
cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t d, cudnnRNNAlgo_t algorithm, cudnnRNNMode_t,
                                       cudnnRNNBiasMode_t biases, cudnnDirectionMode_t, cudnnRNNInputMode_t,
                                       cudnnDataType_t, cudnnDataType_t, cudnnMathType_t, std::int32_t inputs,
                                       std::int32_t hidden, std::int32_t projected, std::int32_t layers,
                                       cudnnDropoutDescriptor_t dropout, std::uint32_t) {
  SIMT_DNN_CALL;
  if (inputs < 1 || hidden < 1 || projected != hidden || layers != 1 || biases != CUDNN_RNN_DOUBLE_BIAS ||
      (dropout && !dropout->set))
    return CUDNN_STATUS_BAD_PARAM;
  if (algorithm != CUDNN_RNN_ALGO_STANDARD && dnn().persistent) return dnn().persistent;
  d->algorithm = algorithm, d->inputs = inputs, d->units = hidden;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t* d) { return create(d); }
cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t d) { return destroy(d); }
cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t d, cudnnDataType_t, cudnnRNNDataLayout_t,
                                        int steps, int rows, int size, const int* lengths, void*) {
  SIMT_DNN_CALL;
  for (int r = 0; r < rows; ++r)
    if (lengths[r] != steps) return CUDNN_STATUS_NOT_SUPPORTED;
  *d = {steps, rows, size};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t h, cudnnRNNDescriptor_t d, cudnnForwardMode_t mode,
                                        cudnnRNNDataDescriptor_t x, std::size_t* work, std::size_t* reserve) {
  SIMT_DNN_CALL;
  if (!h) return CUDNN_STATUS_BAD_PARAM;
  const auto bytes = sequence_of(d, x).reserve_bytes();
  *work = mode == CUDNN_FWD_MODE_TRAINING ? 64 : bytes,
  *reserve = mode == CUDNN_FWD_MODE_TRAINING ? bytes : 0;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t h, cudnnRNNDescriptor_t d, std::size_t* bytes) {
  SIMT_DNN_CALL;
  if (!h) return CUDNN_STATUS_BAD_PARAM;
  *bytes = Space{d->inputs, d->units}.bytes();
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t, cudnnRNNDescriptor_t d, std::int32_t, std::size_t bytes,
                                      const void* space, std::int32_t which, cudnnTensorDescriptor_t m,
                                      void** matrix, cudnnTensorDescriptor_t b, void** bias) {
  SIMT_DNN_CALL;
  const Space s{d->inputs, d->units};
  if (bytes != s.bytes() || which < 0 || which > 7) return CUDNN_STATUS_BAD_PARAM;
  auto* base = static_cast<float*>(const_cast<void*>(space));
  const int gate = which % 4, columns = which < 4 ? s.inputs : s.units;
  *matrix = base + (which < 4 ? s.kernel(gate) : s.recurrent(gate)),
  *bias = base + (which < 4 ? s.bias_1(gate) : s.bias_2(gate));
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
  const auto s = sequence_of(d, xd);
  const bool training = mode == CUDNN_FWD_MODE_TRAINING;
  if (!fits(s, xd, yd) || !state_fits(s, hd) || hx || cx || weight_bytes != s.space().bytes() ||
      (training ? reserve_bytes : work_bytes) < s.reserve_bytes())
    return CUDNN_STATUS_BAD_PARAM;
  enqueue_work(h->stream, [=] {
    s.forward(static_cast<const float*>(weights), static_cast<const float*>(x), static_cast<float*>(y),
              static_cast<float*>(training ? reserve : work));
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
  const auto s = sequence_of(d, xd);
  if (!dx || !fits(s, xd, yd) || !state_fits(s, hd) || weight_bytes != s.space().bytes() ||
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
  const auto s = sequence_of(d, xd);
  if (!fits(s, xd, yd) || !state_fits(s, hd) || weight_bytes != s.space().bytes() ||
      reserve_bytes < s.reserve_bytes())
    return CUDNN_STATUS_BAD_PARAM;
  enqueue_work(h->stream, [=] {
    s.backward_weights(static_cast<const float*>(x), static_cast<const float*>(y),
                       static_cast<float*>(gradients), static_cast<float*>(reserve));
  });
  return CUDNN_STATUS_SUCCESS;
}
