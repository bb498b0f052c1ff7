#include "layer_harness.hpp"
#include "nn/layers/lstm_cell.hpp"

namespace timbre::nn::testing {
namespace {

TEST(Lstm, FollowsKerasInDouble) {
  const auto cases = golden_cases("keras_lstm.h5");
  EXPECT_GE(cases.size(), 13u);
  for (const auto& name : cases) expect_golden("keras_lstm.h5", name);
}

TEST(Lstm, InfersShapesAndParameters) {
  const auto layer =
      make_layer("lstm: {units: 4, kernel_regulariser: {l1: 0.25}, recurrent_regulariser: {l2: 0.5}}");
  EXPECT_EQ(layer->infer({130, 13}), (Shape{4}));
  EXPECT_EQ(make_layer("lstm: {units: 4, return_sequences: true}")->infer({130, 13}), (Shape{130, 4}));
  const auto specs = layer->parameters({130, 13});
  ASSERT_EQ(specs.size(), 3u);
  EXPECT_EQ(specs[0].name, "kernel");
  EXPECT_EQ(specs[0].shape, (Shape{13, 16}));
  EXPECT_EQ(specs[0].initialiser, Initialiser::glorot_uniform);
  EXPECT_TRUE(specs[0].global_penalty);
  EXPECT_EQ(specs[0].penalty->l1, 0.25);
  EXPECT_EQ(specs[1].name, "recurrent_kernel");
  EXPECT_EQ(specs[1].shape, (Shape{4, 16}));
  EXPECT_EQ(specs[1].initialiser, Initialiser::orthogonal);
  EXPECT_FALSE(specs[1].global_penalty);
  EXPECT_EQ(specs[1].penalty->l2, 0.5);
  EXPECT_EQ(specs[2].name, "bias");
  EXPECT_EQ(specs[2].shape, (Shape{16}));
  EXPECT_EQ(specs[2].initialiser, Initialiser::unit_forget_bias);
  EXPECT_EQ(make_layer("lstm: {units: 4, unit_forget_bias: false}")->parameters({1, 1})[2].initialiser,
            Initialiser::zeros);
  EXPECT_EQ(make_layer("lstm: {units: 4, use_bias: false}")->parameters({1, 1}).size(), 2u);
}

TEST(Lstm, RefusesWhatIsNoSequence) {
  EXPECT_EQ(
      request_error([] { make_layer("lstm: 3")->infer({4}); }),
      "needs an input of rank 2 (T, F), not (4,); the layer before must give a sequence (an lstm does with "
      "return_sequences: true)");
  EXPECT_NE(request_error([] {
              make_layer("lstm: 3")->infer({4, 5, 6});
            }).find("not (4, 5, 6)"),
            std::string::npos);
  EXPECT_EQ(request_error([] { make_layer("lstm: {unit: 3}"); })
                .find("test.yaml:1:8: lstm: unknown key 'unit'; did you "
                      "mean 'units'?"),
            0u);
}

TEST(Lstm, GivesTheSameOutputInAndOutsideTraining) {
  for (const auto* text : {"lstm: {units: 19, return_sequences: true}", "lstm: 19"}) {
    const auto layer = make_layer(text);
    LayerRun run(*layer, {70, 3}, 14, {.threads = 2}), bare(*layer, {70, 3}, 14, {.trained = false});
    run.forward();
    const std::vector<float> kept(run.y.begin(), run.y.end());
    run.forward(false);
    EXPECT_TRUE(same_bytes(run.y_rows(), kept));
    bare.forward(false);
    EXPECT_TRUE(same_bytes(bare.y_rows(), kept));
  }
}

TEST(Lstm, WorksOnBatchesOfChangingSize) {
  const auto layer = make_layer("lstm: {units: 18, return_sequences: true}");
  LayerRun run(*layer, {9, 5}, 40, {.threads = 2});
  for (const std::int64_t rows : {40, 1, 17, 40, 13}) {
    LayerRun fresh(*layer, {9, 5}, rows);
    run.set_rows(rows);
    std::copy(fresh.x.begin(), fresh.x.end(), run.x.begin());
    run.dy = fresh.dy;
    run.forward(), fresh.forward();
    run.backward(), fresh.backward();
    EXPECT_TRUE(same_bytes(run.y_rows(), fresh.y_rows())) << rows;
    EXPECT_TRUE(same_bytes(run.dx_rows(), fresh.dx_rows())) << rows;
    for (const auto& [name, gradient] : fresh.gradients)
      EXPECT_TRUE(same_bytes(run.gradients[name], gradient)) << name;
  }
}

TEST(Lstm, KeepsNanVisible) {
  const auto layer = make_layer("lstm: {units: 5, return_sequences: true}");
  LayerRun run(*layer, {4, 2}, 2);
  run.x[2 * 2] = NAN;  // row 0, step 2
  run.forward();
  run.backward();
  for (std::size_t i = 0; i < 10; ++i) EXPECT_TRUE(std::isfinite(run.y[i]));
  for (std::size_t i = 10; i < 20; ++i) EXPECT_TRUE(std::isnan(run.y[i]));
  for (std::size_t i = 20; i < 40; ++i) EXPECT_TRUE(std::isfinite(run.y[i]));
  EXPECT_TRUE(std::isnan(run.gradients["kernel"][0]));
}

TEST(Lstm, SurvivesVeryLargeInputs) {
  const auto layer = make_layer("lstm: {units: 5, return_sequences: true}");
  LayerRun run(*layer, {4, 2}, 2);
  for (auto& v : run.x) v *= 1e6f;
  run.forward();
  run.backward();
  for (const float v : run.y) EXPECT_LE(std::abs(v), 1.0f);
  for (const float v : run.dx_rows()) EXPECT_TRUE(std::isfinite(v));
}

struct CellRun {
  AlignedFloats z, h, c, tanh_c, dz, dh, dc, d_bias;
};

// One step forward and backward of `rows` rows, padded units zero as in a layer.
CellRun run_cell(const LstmCell& cell, std::int64_t units, std::int64_t rows) {
  const auto size = lstm_size(units);
  const auto gates = size.gates();
  const auto padded = [&](std::int64_t seed) {
    const auto v = normals(rows * units, std::uint64_t(seed));
    AlignedFloats out(std::size_t(rows * size.padded), 0.0f);
    for (std::int64_t r = 0; r < rows; ++r)
      std::copy_n(v.begin() + r * units, units, out.begin() + r * size.padded);
    return out;
  };
  auto recurrent = normals(units * 4 * units, 1);
  for (auto& v : recurrent) v /= std::sqrt(float(units));
  AlignedFloats forward(std::size_t(units * gates)), backward(std::size_t(size.padded * gates)),
      bias(std::size_t(gates), 0.5f);
  cell.pack_forward(size, units, recurrent.data(), forward.data(), cell.layout, 0, size.padded / 16);
  cell.pack_backward(size, units, recurrent.data(), backward.data(), cell.layout, 0, size.padded / 16);
  CellRun run{AlignedFloats(std::size_t(rows * gates), 0.0f),
              padded(9),
              padded(9),
              padded(9),
              {},
              padded(4),
              padded(5),
              {}};
  const auto z = normals(rows * gates, 2);
  std::copy(z.begin(), z.end(), run.z.begin());
  const auto h = padded(3), c = padded(6);
  cell.forward(size, {rows, forward.data(), bias.data(), run.z.data(), h.data(), c.data(), run.c.data(),
                      run.tanh_c.data(), run.h.data()});
  const auto after = normals(rows * gates, 7);
  run.dz = run.z;
  // dz once more, as rows 1 to rows of a packed matrix.
  const auto layout = cell.layout;
  AlignedFloats packed(std::size_t(layout.size(rows + 1, gates)), 7.0f);
  run.d_bias.assign(std::size_t(gates), 0.25f);
  cell.backward(size,
                {rows, backward.data(), after.data(), run.dh.data(), run.dc.data(), c.data(), h.data(),
                 run.tanh_c.data(), run.dz.data(), packed.data(), layout, 1, rows + 1, run.d_bias.data()});
  for (std::int64_t column = 0; column < gates; ++column) {
    const auto at = layout.place(column, rows + 1, gates);
    EXPECT_EQ(packed[std::size_t(at.offset)], 7.0f);
    for (std::int64_t r = 0; r < rows; ++r)
      EXPECT_EQ(packed[std::size_t(at.offset + (r + 1) * at.width)], run.dz[std::size_t(r * gates + column)]);
  }
  return run;
}

TEST(LstmCell, EveryInstructionSetFollowsThePlainOne) {
  for (const auto isa : {Isa::avx2, Isa::avx512}) {
    if (isa > machine_isa()) continue;
    for (const std::int64_t units : {1, 15, 16, 17, 33, 48, 128})
      for (const std::int64_t rows : {1, 2, 3, 5, 6, 7, 10, 11, 12, 13, 25}) {
        SCOPED_TRACE(std::string(name_of(isa)) + ", units " + std::to_string(units) + ", rows " +
                     std::to_string(rows));
        const auto a = run_cell(lstm_cell_for(isa), units, rows),
                   b = run_cell(lstm_cell_for(Isa::generic), units, rows);
        EXPECT_LE(relative_difference(a.z, std::span<const float>(b.z)), 2e-6);
        EXPECT_LE(relative_difference(a.h, std::span<const float>(b.h)), 2e-6);
        EXPECT_LE(relative_difference(a.c, std::span<const float>(b.c)), 2e-6);
        EXPECT_LE(relative_difference(a.dz, std::span<const float>(b.dz)), 2e-6);
        EXPECT_LE(relative_difference(a.dc, std::span<const float>(b.dc)), 2e-6);
        EXPECT_LE(relative_difference(a.d_bias, std::span<const float>(b.d_bias)), 2e-6);
      }
  }
}

}  // namespace
}  // namespace timbre::nn::testing
