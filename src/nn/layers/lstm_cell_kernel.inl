// The time step of lstm_cell.hpp on vectors of one instruction set. The including file has chosen the
// instruction set and defines, in an unnamed namespace, struct V: its lanes (8 or 16), the rows of a register
// block, and the operators used below.
//
// Both products run over panels two vectors wide, packed [panel][k][2 vectors], with a block of rows held in
// registers; the gates of a panel's units follow while they are in the nearest cache.

// As in vector_math.hpp, with fused multiply and add.
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

// C += A B for R rows and NV neighbouring vectors: A [R, k] with row stride lda, B [k, NV vectors] with row
// stride ldb, C with row stride ldc. The sums stay in registers.
template <int R, int NV>
void product_block(std::int64_t depth, const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float* c,
                   std::int64_t ldc) {
  V::Type sum[R][NV];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) sum[r][v] = V::load(c + r * ldc + v * V::lanes);
  for (std::int64_t k = 0; k < depth; ++k, b += ldb) {
    V::Type bk[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) bk[v] = V::load(b + v * V::lanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const auto ak = V::broadcast(a[r * lda + k]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) sum[r][v] = V::fma(ak, bk[v], sum[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) V::store(c + r * ldc + v * V::lanes, sum[r][v]);
}

template <int R, int NV>
void product_rows(std::int64_t rows, std::int64_t depth, const float* a, std::int64_t lda, const float* b,
                  std::int64_t ldb, float* c, std::int64_t ldc) {
  if constexpr (R > 1)
    if (rows < R) return product_rows<R - 1, NV>(rows, depth, a, lda, b, ldb, c, ldc);
  product_block<R, NV>(depth, a, lda, b, ldb, c, ldc);
}

template <int NV>
void product(std::int64_t rows, std::int64_t depth, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
             float* c, std::int64_t ldc) {
  const auto groups = (rows + V::rows - 1) / V::rows;
  for (std::int64_t i = 0; i < groups; ++i) {
    const auto begin = rows * i / groups, end = rows * (i + 1) / groups;
    product_rows<V::rows, NV>(end - begin, depth, a + begin * lda, lda, b, ldb, c + begin * ldc, ldc);
  }
}

void forward(const LstmSize& size, const LstmForward& s) {
  const std::int64_t up = size.padded, gates = size.gates(), units = size.units;
  for (std::int64_t block = 0; block < up / 16; ++block) {
    for (int part = 0; part < 64; part += 2 * V::lanes)
      product<2>(s.rows, units, s.h_before, up, s.recurrent + block * units * 64 + part * units, 2 * V::lanes,
                 s.z + block * 64 + part, gates);
    for (int lane = 0; lane < 16; lane += V::lanes) {
      const float* bias = s.bias + block * 64 + lane;
      const auto bi = V::load(bias), bf = V::load(bias + 16), bc = V::load(bias + 32), bo = V::load(bias + 48);
      for (std::int64_t r = 0; r < s.rows; ++r) {
        float* z = s.z + r * gates + block * 64 + lane;
        const auto at = r * up + block * 16 + lane;
        const auto i = sigmoid_v(V::add(V::load(z), bi)), f = sigmoid_v(V::add(V::load(z + 16), bf));
        const auto g = tanh_v(V::add(V::load(z + 32), bc)), o = sigmoid_v(V::add(V::load(z + 48), bo));
        const auto c = V::fma(f, V::load(s.c_before + at), V::mul(i, g));
        const auto t = tanh_v(c);
        V::store(z, i);
        V::store(z + 16, f);
        V::store(z + 32, g);
        V::store(z + 48, o);
        V::store(s.c + at, c);
        V::store(s.tanh_c + at, t);
        V::store(s.h + at, V::mul(o, t));
      }
    }
  }
}

void backward(const LstmSize& size, const LstmBackward& s) {
  const std::int64_t up = size.padded, gates = size.gates();
  const auto one = V::broadcast(1.0f);
  for (std::int64_t unit = 0; unit < up; unit += 2 * V::lanes) {
    const auto wide = std::min<std::int64_t>(2 * V::lanes, up - unit);
    const float* panel = s.recurrent + unit * gates;
    if (s.dz_after && wide == 2 * V::lanes) product<2>(s.rows, gates, s.dz_after, gates, panel, wide, s.dh + unit, up);
    else if (s.dz_after) product<1>(s.rows, gates, s.dz_after, gates, panel, wide, s.dh + unit, up);
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

// [block of 16 units][2 vectors of the 64 gates][k][lane]
void pack_forward(const LstmSize& size, const float* recurrent, float* packed, std::int64_t first, std::int64_t last) {
  const auto units = size.units;
  for (std::int64_t block = first; block < last; ++block) {
    const auto here = std::min<std::int64_t>(16, units - block * 16);
    for (std::int64_t k = 0; k < units; ++k)
      for (std::int64_t g = 0; g < 4; ++g) {
        const auto column = g * 16, panel = column / (2 * V::lanes) * (2 * V::lanes);
        float* to = packed + (block * 64 + panel) * units + k * 2 * V::lanes + (column - panel);
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
