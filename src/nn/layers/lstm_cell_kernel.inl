// The time step of lstm_cell.hpp on vectors of one instruction set. The including file has chosen the
// instruction set and defines, in an unnamed namespace, struct V:
//   lanes, forward_rows, backward_rows (register blocking), load, store, broadcast, zero, and the operators
//   fma(a, b, c) = a b + c, add, sub, mul, div, minimum, maximum, absolute, copy_sign, power_of_2.
//
// Forward: a register block is up to forward_rows rows by the four gates of V::lanes units; it runs over k with
// the packed panel [block of 16 units][k][4][16], then applies the gates while they are in registers.
// Backward: up to backward_rows rows by two vectors of units, packed panel [2 vectors of units][k = gates][..].

// min and max keep NaN of the second operand: see the including file.
inline V::Type expm1_parts(V::Type x, V::Type& scale) {
  x = V::maximum(V::broadcast(-87.0f), x);
  x = V::minimum(V::broadcast(88.0f), x);
  const auto n = V::round(V::mul(x, V::broadcast(1.44269504088896341f)));
  auto r = V::fma(n, V::broadcast(-0.693359375f), x);
  r = V::fma(n, V::broadcast(2.12194440e-4f), r);
  auto p = V::broadcast(1.9875691500e-4f);
  p = V::fma(p, r, V::broadcast(1.3981999507e-3f));
  p = V::fma(p, r, V::broadcast(8.3334519073e-3f));
  p = V::fma(p, r, V::broadcast(4.1665795894e-2f));
  p = V::fma(p, r, V::broadcast(1.6666665459e-1f));
  p = V::fma(p, r, V::broadcast(5.0000001201e-1f));
  scale = V::power_of_2(n);
  return V::fma(V::mul(p, r), r, r);
}
inline V::Type sigmoid_v(V::Type x) {
  V::Type scale;
  const auto p = expm1_parts(V::sub(V::zero(), x), scale);
  const auto one = V::broadcast(1.0f);
  return V::div(one, V::add(one, V::fma(scale, p, scale)));
}
inline V::Type tanh_v(V::Type x) {
  V::Type scale;
  auto a = V::minimum(V::broadcast(10.0f), V::absolute(x));
  const auto p = expm1_parts(V::add(a, a), scale);
  const auto m = V::fma(scale, p, V::sub(scale, V::broadcast(1.0f)));
  return V::copy_sign(V::div(m, V::add(m, V::broadcast(2.0f))), x);
}

// Rows r .. r + R, lanes [lane, lane + V::lanes) of block `block`.
template <int R>
void forward_block(const LstmSize& size, const LstmForward& s, std::int64_t row, std::int64_t block, int lane) {
  const std::int64_t up = size.padded, gates = size.gates(), units = size.units;
  const float* panel = s.recurrent + block * units * 64 + lane;
  float* z = s.z + row * gates + block * 64 + lane;
  const float* h = s.h_before + row * up;
  V::Type sum[R][4];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int g = 0; g < 4; ++g)
      sum[r][g] = V::add(V::load(z + r * gates + g * 16), V::load(s.bias + block * 64 + g * 16 + lane));
  for (std::int64_t k = 0; k < units; ++k) {
    V::Type a[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) a[r] = V::broadcast(h[r * up + k]);
#pragma GCC unroll 4
    for (int g = 0; g < 4; ++g) {
      const auto b = V::load(panel + k * 64 + g * 16);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) sum[r][g] = V::fma(a[r], b, sum[r][g]);
    }
  }
  const std::int64_t at = row * up + block * 16 + lane;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const auto i = sigmoid_v(sum[r][0]), f = sigmoid_v(sum[r][1]), g = tanh_v(sum[r][2]), o = sigmoid_v(sum[r][3]);
    const auto c = V::fma(f, V::load(s.c_before + at + r * up), V::mul(i, g));
    const auto t = tanh_v(c);
    V::store(z + r * gates, i);
    V::store(z + r * gates + 16, f);
    V::store(z + r * gates + 32, g);
    V::store(z + r * gates + 48, o);
    V::store(s.c + at + r * up, c);
    V::store(s.tanh_c + at + r * up, t);
    V::store(s.h + at + r * up, V::mul(o, t));
  }
}

template <int R>
void forward_rows(const LstmSize& size, const LstmForward& s, std::int64_t row, std::int64_t rows, std::int64_t block,
                  int lane) {
  if constexpr (R > 1)
    if (rows < R) return forward_rows<R - 1>(size, s, row, rows, block, lane);
  forward_block<R>(size, s, row, block, lane);
}

void forward(const LstmSize& size, const LstmForward& s) {
  const auto groups = (s.rows + V::forward_rows - 1) / V::forward_rows;
  for (std::int64_t block = 0; block < size.padded / 16; ++block)
    for (int lane = 0; lane < 16; lane += V::lanes)
      for (std::int64_t i = 0; i < groups; ++i) {
        const auto begin = s.rows * i / groups, end = s.rows * (i + 1) / groups;
        forward_rows<V::forward_rows>(size, s, begin, end - begin, block, lane);
      }
}

// dh += dz' R^T for rows r .. r + R and NV vectors of units from `unit`.
template <int R, int NV>
void backward_block(const LstmSize& size, const LstmBackward& s, std::int64_t row, std::int64_t unit) {
  const std::int64_t up = size.padded, gates = size.gates();
  const float* panel = s.recurrent + unit * gates;
  const float* dz = s.dz_after + row * gates;
  float* dh = s.dh + row * up + unit;
  V::Type sum[R][NV];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < NV; ++v) sum[r][v] = V::load(dh + r * up + v * V::lanes);
  for (std::int64_t k = 0; k < gates; ++k) {
    V::Type b[NV];
#pragma GCC unroll 2
    for (int v = 0; v < NV; ++v) b[v] = V::load(panel + (k * NV + v) * V::lanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const auto a = V::broadcast(dz[r * gates + k]);
#pragma GCC unroll 2
      for (int v = 0; v < NV; ++v) sum[r][v] = V::fma(a, b[v], sum[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < NV; ++v) V::store(dh + r * up + v * V::lanes, sum[r][v]);
}

template <int R, int NV>
void backward_rows(const LstmSize& size, const LstmBackward& s, std::int64_t row, std::int64_t rows, std::int64_t unit) {
  if constexpr (R > 1)
    if (rows < R) return backward_rows<R - 1, NV>(size, s, row, rows, unit);
  backward_block<R, NV>(size, s, row, unit);
}

void backward(const LstmSize& size, const LstmBackward& s) {
  const std::int64_t up = size.padded, gates = size.gates();
  const auto groups = (s.rows + V::backward_rows - 1) / V::backward_rows;
  const auto one = V::broadcast(1.0f);
  for (std::int64_t unit = 0; unit < up; unit += 2 * V::lanes) {
    const auto wide = std::min<std::int64_t>(2 * V::lanes, up - unit);
    for (std::int64_t i = 0; i < groups && s.dz_after; ++i) {
      const auto begin = s.rows * i / groups, count = s.rows * (i + 1) / groups - begin;
      if (wide == 2 * V::lanes) backward_rows<V::backward_rows, 2>(size, s, begin, count, unit);
      else backward_rows<V::backward_rows, 1>(size, s, begin, count, unit);
    }
    for (std::int64_t r = 0; r < s.rows; ++r)
      for (std::int64_t u = unit; u < unit + wide; u += V::lanes) {
        const auto at = r * up + u;
        float* z = s.z + r * gates + u / 16 * 64 + u % 16;
        const auto i = V::load(z), f = V::load(z + 16), g = V::load(z + 32), o = V::load(z + 48);
        const auto dh = V::load(s.dh + at), t = V::load(s.tanh_c + at);
        const auto dho = V::mul(dh, o);
        const auto dc = V::fma(dho, V::sub(one, V::mul(t, t)), V::load(s.dc + at));
        V::store(z, V::mul(V::mul(dc, g), V::mul(i, V::sub(one, i))));
        V::store(z + 16, V::mul(V::mul(dc, V::load(s.c_before + at)), V::mul(f, V::sub(one, f))));
        V::store(z + 32, V::mul(V::mul(dc, i), V::sub(one, V::mul(g, g))));
        V::store(z + 48, V::mul(V::mul(dho, t), V::sub(one, o)));
        V::store(s.dc + at, V::mul(dc, f));
      }
  }
}

// [block of 16 units][k][4][16]
void pack_forward(const LstmSize& size, const float* recurrent, float* packed, std::int64_t first, std::int64_t last) {
  const auto units = size.units;
  for (std::int64_t block = first; block < last; ++block) {
    const auto here = std::min<std::int64_t>(16, units - block * 16);
    for (std::int64_t k = 0; k < units; ++k)
      for (std::int64_t g = 0; g < 4; ++g) {
        float* to = packed + (block * units + k) * 64 + g * 16;
        std::fill(std::copy_n(recurrent + k * 4 * units + g * units + block * 16, here, to), to + 16, 0.0f);
      }
  }
}

// [2 vectors of units][k in the order of z][lane]; element (k, unit) is R[unit][k]
void pack_backward(const LstmSize& size, const float* recurrent, float* packed, std::int64_t first, std::int64_t last) {
  const std::int64_t units = size.units, up = size.padded, gates = size.gates(), panel = 2 * V::lanes;
  for (std::int64_t u = first * 16; u < last * 16; ++u) {
    const auto start = u / panel * panel, wide = std::min<std::int64_t>(panel, up - start);
    float* to = packed + start * gates + (u - start);
    for (std::int64_t block = 0; block < up / 16; ++block)
      for (std::int64_t g = 0; g < 4; ++g)
        for (std::int64_t lane = 0; lane < 16; ++lane) {
          const auto from = block * 16 + lane;
          to[((block * 4 + g) * 16 + lane) * wide] = u < units && from < units ? recurrent[u * 4 * units + g * units + from] : 0.0f;
        }
  }
}
