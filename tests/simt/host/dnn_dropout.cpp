// The stand-in's dropout: states are a seed and a counter in device memory, and masks bytes in the reserve.
#include <cstring>

#include "core/philox.hpp"
#include "host/dnn_types.hpp"

namespace simt {
namespace {

struct States {
  std::uint64_t seed, drawn;
};
constexpr std::size_t states_bytes = sizeof(States) + 4;  // not all sizes are round

std::int64_t count_of(cudnnTensorDescriptor_t x) {
  std::int64_t count = 1;
  for (const int n : x->extents) count *= n;
  return count;
}

}  // namespace

void draw_masks(float rate, void* memory, std::int64_t count, float* masks) {
  States states{};
  std::memcpy(&states, memory, sizeof states);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto words = timbre::philox(states.seed, 99, std::uint32_t(states.drawn), std::uint64_t(i));
    masks[i] = double(words.v[0]) / 4294967296.0 >= double(rate) ? 1 / (1 - rate) : 0.0f;
  }
  ++states.drawn;
  std::memcpy(memory, &states, sizeof states);
}

}  // namespace simt

using namespace simt;

cudnnStatus_t cudnnCreateDropoutDescriptor(cudnnDropoutDescriptor_t* d) { return create(d); }
cudnnStatus_t cudnnDestroyDropoutDescriptor(cudnnDropoutDescriptor_t d) { return destroy(d); }
cudnnStatus_t cudnnDropoutGetStatesSize(cudnnHandle_t h, std::size_t* bytes) {
  SIMT_DNN_CALL;
  *bytes = states_bytes;
  return h ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}
cudnnStatus_t cudnnDropoutGetReserveSpaceSize(cudnnTensorDescriptor_t x, std::size_t* bytes) {
  SIMT_DNN_CALL;
  *bytes = std::size_t(count_of(x)) * sizeof(float);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetDropoutDescriptor(cudnnDropoutDescriptor_t d, cudnnHandle_t h, float rate, void* states,
                                        std::size_t bytes, unsigned long long seed) {
  SIMT_DNN_CALL;
  if (!h || rate < 0 || rate > 1 || (rate > 0 && (!states || bytes < states_bytes)))
    return CUDNN_STATUS_BAD_PARAM;
  *d = {true, rate, states};
  if (states)
    enqueue_work(h->stream, [=] {
      const States first{seed, 0};
      std::memset(states, 0, states_bytes);
      std::memcpy(states, &first, sizeof first);
    });
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDropoutForward(cudnnHandle_t h, cudnnDropoutDescriptor_t d, cudnnTensorDescriptor_t xd,
                                  const void* x, cudnnTensorDescriptor_t yd, void* y, void* reserve,
                                  std::size_t bytes) {
  SIMT_DNN_CALL;
  const auto count = count_of(xd);
  if (!d->set || xd->extents != yd->extents || bytes < std::size_t(count) * sizeof(float))
    return CUDNN_STATUS_BAD_PARAM;
  enqueue_work(h->stream, [=, rate = d->rate, states = d->states] {
    auto* masks = static_cast<float*>(reserve);
    draw_masks(rate, states, count, masks);
    for (std::int64_t i = 0; i < count; ++i)
      static_cast<float*>(y)[i] = static_cast<const float*>(x)[i] * masks[i];
  });
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDropoutBackward(cudnnHandle_t h, cudnnDropoutDescriptor_t d, cudnnTensorDescriptor_t yd,
                                   const void* dy, cudnnTensorDescriptor_t xd, void* dx, void* reserve,
                                   std::size_t bytes) {
  SIMT_DNN_CALL;
  const auto count = count_of(xd);
  if (!d->set || xd->extents != yd->extents || bytes < std::size_t(count) * sizeof(float))
    return CUDNN_STATUS_BAD_PARAM;
  enqueue_work(h->stream, [=] {
    for (std::int64_t i = 0; i < count; ++i)
      static_cast<float*>(dx)[i] = static_cast<const float*>(dy)[i] * static_cast<const float*>(reserve)[i];
  });
  return CUDNN_STATUS_SUCCESS;
}
