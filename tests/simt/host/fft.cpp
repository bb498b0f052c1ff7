// cuFFT's stand-in: a mixed-radix transform in double, written to be read, not to be quick.
#include <cufft.h>

#include <algorithm>
#include <complex>
#include <map>
#include <numbers>
#include <vector>

#include "host/device.hpp"

namespace {

using Complex = std::complex<double>;

struct Plan {
  long long size = 0, batch = 0, in_distance = 0, out_distance = 0;
  void* work = nullptr;
  bool own_work = true;
  cudaStream_t stream = nullptr;
  cufftType type = CUFFT_R2C;
};
constexpr std::size_t work_size = 256;  // asked for, so that callers must provide it

std::map<cufftHandle, Plan>& plans() {
  static std::map<cufftHandle, Plan> p;
  return p;
}

/// Without the care for infinities that std::complex takes, which makes it a call.
Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

/// out[k] = sum over j of in[j stride] e^(-2 pi i j k / n), roots[i step] being e^(-2 pi i i / n): by the
/// smallest factor of n, or, where n is prime, as it stands.
void transform(const Complex* in, std::size_t stride, Complex* out, std::size_t n, const Complex* roots,
               std::size_t step) {
  if (n == 1) {
    out[0] = in[0];
    return;
  }
  std::size_t factor = 2;
  while (factor * factor <= n && n % factor != 0) ++factor;
  if (n % factor != 0) factor = n;
  const std::size_t rest = n / factor;
  for (std::size_t f = 0; f < factor; ++f)
    transform(in + f * stride, stride * factor, out + f * rest, rest, roots, step * factor);
  if (factor == 2) {
    for (std::size_t k = 0; k < rest; ++k) {
      const auto a = out[k], b = times(out[k + rest], roots[k * step]);
      out[k] = a + b, out[k + rest] = a - b;
    }
    return;
  }
  std::vector<Complex> parts(factor);
  for (std::size_t k = 0; k < rest; ++k) {
    for (std::size_t f = 0; f < factor; ++f) parts[f] = out[f * rest + k];
    for (std::size_t q = 0; q < factor; ++q) {
      Complex sum = 0;
      for (std::size_t f = 0; f < factor; ++f) sum += times(parts[f], roots[f * (k + q * rest) % n * step]);
      out[q * rest + k] = sum;
    }
  }
}

template <class Real, class Pair>
void execute(const Plan& plan, const Real* in, Pair* out) {
  const auto n = static_cast<std::size_t>(plan.size);
  std::vector<Complex> roots(n), x(n), y(n);
  for (std::size_t i = 0; i < n; ++i)
    roots[i] = std::polar(1.0, -2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n));
  for (long long b = 0; b < plan.batch; ++b) {
    bool silent = true;  // as the frames behind the last segment are
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = in[static_cast<std::size_t>(b * plan.in_distance) + i];
      silent = silent && x[i] == 0.0;
    }
    if (silent)
      std::fill(y.begin(), y.end(), 0.0);
    else
      transform(x.data(), 1, y.data(), n, roots.data(), 1);
    for (std::size_t k = 0; k <= n / 2; ++k)
      out[static_cast<std::size_t>(b * plan.out_distance) + k] = {static_cast<Real>(y[k].real()),
                                                                  static_cast<Real>(y[k].imag())};
  }
}

Plan* find(cufftHandle handle) {
  const auto it = plans().find(handle);
  return it == plans().end() ? nullptr : &it->second;
}

}  // namespace

cufftResult cufftCreate(cufftHandle* plan) {
  if (simt::call_fails()) return CUFFT_ALLOC_FAILED;
  static cufftHandle next = 1;
  *plan = next++;
  plans()[*plan] = {};
  ++simt::device().live;
  return CUFFT_SUCCESS;
}
cufftResult cufftDestroy(cufftHandle plan) {
  if (plans().erase(plan) == 0) return CUFFT_INVALID_PLAN;
  --simt::device().live;
  return CUFFT_SUCCESS;
}
cufftResult cufftSetAutoAllocation(cufftHandle plan, int allocate) {
  auto* p = find(plan);
  if (!p || simt::call_fails()) return CUFFT_INVALID_PLAN;
  p->own_work = allocate != 0;
  return CUFFT_SUCCESS;
}
cufftResult cufftMakePlanMany64(cufftHandle plan, int rank, long long* n, long long* inembed,
                                long long istride, long long idist, long long* onembed, long long ostride,
                                long long odist, cufftType type, long long batch, std::size_t* work_bytes) {
  auto* p = find(plan);
  if (!p || simt::call_fails()) return CUFFT_INVALID_PLAN;
  if (rank != 1 || !inembed || !onembed || istride != 1 || ostride != 1 ||
      (type != CUFFT_R2C && type != CUFFT_D2Z) || batch < 1 || idist < *n || odist < *n / 2 + 1)
    return CUFFT_INVALID_VALUE;
  p->size = *n, p->batch = batch, p->in_distance = idist, p->out_distance = odist, p->type = type;
  *work_bytes = work_size;
  return CUFFT_SUCCESS;
}
cufftResult cufftSetWorkArea(cufftHandle plan, void* work) {
  auto* p = find(plan);
  if (!p || simt::call_fails()) return CUFFT_INVALID_PLAN;
  p->work = work;
  return CUFFT_SUCCESS;
}
cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream) {
  auto* p = find(plan);
  if (!p || simt::call_fails()) return CUFFT_INVALID_PLAN;
  p->stream = stream;
  return CUFFT_SUCCESS;
}
namespace {
template <class Real, class Pair>
cufftResult enqueue(cufftHandle plan, cufftType type, Real* in, Pair* out) {
  auto* p = find(plan);
  if (!p || p->type != type || simt::call_fails()) return CUFFT_INVALID_PLAN;
  if (!p->own_work && !p->work) return CUFFT_INVALID_VALUE;
  simt::enqueue_work(p->stream, [plan = *p, in, out] { execute(plan, in, out); });
  return CUFFT_SUCCESS;
}
}  // namespace
cufftResult cufftExecR2C(cufftHandle plan, cufftReal* in, cufftComplex* out) {
  return enqueue(plan, CUFFT_R2C, in, out);
}
cufftResult cufftExecD2Z(cufftHandle plan, cufftDoubleReal* in, cufftDoubleComplex* out) {
  return enqueue(plan, CUFFT_D2Z, in, out);
}
