// Blocks and their shortcuts, in networks: against Keras, against finite differences, and what is refused.
#include <set>

#include "layer_harness.hpp"
#include "nn/backward_plan.hpp"
#include "nn/cpu_layers.hpp"

namespace timbre::nn::testing {
namespace {

Model model_of(const std::string& yaml, const Shape& input, const Regularisation& regularisation = {}) {
  const auto node = config::parse_text("model: " + yaml, "test.yaml", ".");
  return Model::parse(config::Reader(*node.find("model"), "model"), input, 4, regularisation);
}

/// A network at work: its logits, and all gradients for those given to them.
struct NetworkRun {
  NetworkRun(const Model& m, std::int64_t rows_, int threads = 1)
      : model(m),
        rows(rows_),
        pool(threads),
        arena(std::size_t(m.arena_size())),
        gradients(std::size_t(m.trainable_size()), NAN),
        layers({&m, arena.data(), gradients.data(), nullptr, &pool}, rows_) {
    model.initialise(1, arena.data());
  }
  std::span<float> values(const Model::Entry& entry, std::size_t k, std::vector<float>& of) const {
    const auto& p = model.parameters()[std::size_t(entry.parameters[k])];
    return std::span(of).subspan(std::size_t(p.offset), std::size_t(p.spec.shape.size()));
  }
  void run(std::span<const float> x, const std::vector<float>& dy) {
    forward(x);
    std::vector<float> given(std::size_t(rows * layers.widest())), spare(given.size());
    std::copy(dy.begin(), dy.end(), given.begin());
    layers.backward({rows, true, 7, 3}, given.data(), spare.data());
  }
  void forward(std::span<const float> x) {
    std::copy(x.begin(), x.end(), layers.input());
    layers.forward({rows, true, 7, 3});
  }
  std::span<const float> logits() const { return {layers.logits(), std::size_t(rows * model.classes())}; }

  const Model& model;
  std::int64_t rows;
  ThreadPool pool;
  std::vector<float> arena, gradients;
  CpuLayers layers;
};

class Residual : public ::testing::TestWithParam<std::string> {};

TEST_P(Residual, FollowsKeras) {
  const auto h5 = storage::H5File::open(std::string(TIMBRE_TEST_DATA) + "/keras_residual.h5");
  const auto at = "/" + GetParam() + "/";
  auto extents = h5.shape(at + "x").extents();
  const auto rows = extents[0];
  extents.erase(extents.begin());
  const auto text = h5.read_text(at + "model");
  const auto model = model_of(text, Shape(extents));
  const double tolerance = text.find("conv") == text.npos ? 1e-5 : 3e-5;
  std::size_t block = 0;  // the last of one: the sum, or its activation
  for (std::size_t i = 0; i < model.layers().size(); ++i)
    if (model.layers()[i].layer->block() || (model.layers()[i].within && i == block + 1)) block = i;
  double largest = 0;
  for (const auto& p : model.parameters())
    if (p.spec.trainable)
      for (const double g :
           h5.read_doubles(at + "gradients/" + model.layers()[std::size_t(p.layer)].name + "/" + p.spec.name))
        largest = std::max(largest, std::abs(g));
  std::optional<NetworkRun> first;
  for (const int threads : {1, 2, 4}) {
    NetworkRun run(model, rows, threads);
    for (const auto& entry : model.layers())
      for (std::size_t k = 0; k < entry.parameters.size(); ++k) {
        const auto name = entry.name + "/" + model.parameters()[std::size_t(entry.parameters[k])].spec.name;
        const auto values = h5.read_floats(at + "parameters/" + name);
        ASSERT_EQ(values.size(), run.values(entry, k, run.arena).size()) << name;
        std::ranges::copy(values, run.values(entry, k, run.arena).begin());
      }
    run.run(h5.read_floats(at + "x"), h5.read_floats(at + "dy"));
    EXPECT_LE(relative_difference(run.logits(), h5.read_doubles(at + "y")), 1e-5);
    const std::span after_block(run.layers.output(block),
                                std::size_t(rows * model.layers()[block].output.size()));
    EXPECT_LE(relative_difference(after_block, h5.read_doubles(at + "block")), 1e-5);
    for (const auto& entry : model.layers())
      for (std::size_t k = 0; k < entry.parameters.size(); ++k) {
        const auto& spec = model.parameters()[std::size_t(entry.parameters[k])].spec;
        const auto name = entry.name + "/" + spec.name;
        if (!spec.trainable) {
          EXPECT_LE(
              relative_difference(run.values(entry, k, run.arena), h5.read_doubles(at + "after/" + name)),
              1e-5)
              << name;
          continue;
        }
        const auto gradient = run.values(entry, k, run.gradients);
        std::vector<float> found(gradient.begin(), gradient.end());
        auto expected = h5.read_doubles(at + "gradients/" + name);
        // A number for each channel before a normalisation changes nothing but for epsilon: held to the largest gradient.
        const auto cancels = spec.shape.size() == spec.shape.back() && entry.name.starts_with("conv2d");
        if (cancels) found.push_back(float(largest)), expected.push_back(largest);
        EXPECT_LE(relative_difference(found, expected), tolerance) << name;
      }
    if (threads == 1) {
      first.emplace(model, rows);
      first->gradients = run.gradients, first->arena = run.arena;
    } else {
      EXPECT_TRUE(same_bytes(run.gradients, first->gradients));
      EXPECT_TRUE(same_bytes(run.arena, first->arena));
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Golden, Residual, ::testing::ValuesIn(golden_cases("keras_residual.h5")),
                         [](const auto& info) { return info.param; });

// With dropout and noise, whose masks a step repeats.
TEST(ResidualNetwork, HasTheGradientsOfItsForward) {
  const auto model = model_of(
      "[dense: 6, residual: {layers: [dense: {units: 5, activation: tanh}, dropout: 0.3, dense: 6]}, "
      "residual: "
      "{layers: [dense: 7, gaussian_noise: 0.1, spatial_dropout1d: 0.2], shortcut: [dense: 7, dropout: 0.5], "
      "activation: tanh}, global_average_pooling1d, dense: {units: classes, activation: softmax}]",
      {5, 4});
  NetworkRun run(model, 6);
  const auto x = normals(6 * 20, 1), dy = normals(6 * 4, 2);
  run.run(x, dy);
  const auto gradients = run.gradients, before = run.arena;
  for (const auto& p : model.parameters())  // (Between parameters there are gaps.)
    for (std::int64_t i = 0; i < p.spec.shape.size(); ++i)
      ASSERT_TRUE(std::isfinite(gradients[std::size_t(p.offset + i)]));
  std::vector<double> errors;
  for (std::uint64_t seed = 0; seed < 7; ++seed) {
    const auto v = normals(model.trainable_size(), 50 + seed);
    double expected = 0, scale = 0;
    const auto loss = [&](float h) {
      for (const auto& p : model.parameters())
        for (std::int64_t k = 0; k < p.spec.shape.size(); ++k) {
          const auto i = std::size_t(p.offset + k);
          run.arena[i] = before[i] + h * v[i];
        }
      run.forward(x);
      double sum = 0;
      for (std::size_t i = 0; i < dy.size(); ++i) sum += double(run.logits()[i]) * double(dy[i]);
      return sum;
    };
    for (const auto& p : model.parameters())
      for (std::int64_t k = 0; k < p.spec.shape.size(); ++k) {
        const auto g = double(gradients[std::size_t(p.offset + k)]);
        expected += g * double(v[std::size_t(p.offset + k)]), scale += g * g;
      }
    constexpr float h = 2e-4f;
    errors.push_back(std::abs((loss(h) - loss(-h)) / (2 * double(h)) - expected) / std::sqrt(scale));
  }
  std::ranges::nth_element(errors, errors.begin() + 3);
  EXPECT_LT(errors[3], 0.02);
}

TEST(ResidualNetwork, NamesAndSortsItsLayersAsKeras) {
  const auto model = model_of(
      "[residual: {layers: [conv2d: {filters: 4, kernel_size: 3, strides: 2, padding: same}, "
      "batch_normalization, "
      "activation: relu, conv2d: {filters: 4, kernel_size: 3, padding: same}, batch_normalization]}, "
      "flatten, dense: "
      "{units: classes, activation: softmax}]",
      {9, 7});
  std::string names;
  for (const auto& e : model.layers()) names += e.name + " ";
  EXPECT_EQ(names,
            "conv2d batch_normalization activation conv2d_1 conv2d_2 batch_normalization_1 "
            "batch_normalization_2 add "
            "activation_1 flatten dense ");
  const auto projection = model.layers()[4];
  EXPECT_EQ(projection.from, 0);
  EXPECT_EQ(projection.output, (Shape{5, 4, 4}));
  EXPECT_EQ(projection.parameters.size(), 1u) << "the normalisation after it has the bias";
  EXPECT_NE(model.summary().find("conv2d_2 (Conv2D) of input "), std::string::npos) << model.summary();
  EXPECT_NE(model.summary().find("add (Add) of batch_normalization_1, batch_normalization_2 "),
            std::string::npos);
  // The resolved configuration gives the same model again.
  const auto text = config::to_yaml(model.dump());
  const auto node = config::parse_text(text, "test.yaml", ".");
  const auto again = Model::parse(config::Reader(node, "model"), {9, 7}, 4, {});
  EXPECT_EQ(again.summary(), model.summary());
  EXPECT_EQ(config::to_yaml(again.dump()), text);
}

TEST(ResidualNetwork, PenaltiesAndDropoutReachInside) {
  Regularisation r;
  r.l2 = 0.1, r.dropout = 0.4;
  const auto model = model_of(
      "[residual: {layers: [dense: 6, dropout: 0.1, dense: {units: 5, kernel_regulariser: {l1: 1, l2: 0}}], "
      "shortcut: "
      "[dropout: 0.2, dense: 5]}, dense: {units: classes, activation: softmax}]",
      {7}, r);
  std::multiset<double> l2;
  for (const auto& p : model.parameters())
    if (p.spec.name == "kernel") l2.insert(p.penalty.l2);
  EXPECT_EQ(l2, (std::multiset<double>{0, 0.1, 0.1, 0.1}));
  const auto text = config::to_yaml(model.dump());
  EXPECT_EQ(text.find("0.1"), text.npos) << text;
  EXPECT_NE(text.find("0.4"), text.npos) << text;
}

TEST(ResidualNetwork, DropoutsOfOneBlockDropOtherValues) {
  const auto model = model_of(
      "[residual: {layers: [dropout: 0.5], shortcut: [dropout: 0.5], activation: linear}, dense: {units: "
      "classes, "
      "activation: softmax}]",
      {400});
  NetworkRun run(model, 2);
  run.forward(std::vector<float>(800, 1.0f));
  std::array<int, 3> counts{};
  for (int i = 0; i < 800; ++i) ++counts.at(std::size_t(run.layers.output(2)[i] / 2));
  EXPECT_NEAR(counts[1], 400, 80) << "one of the two dropped it";
  EXPECT_NEAR(counts[0], 200, 80);
}

TEST(ResidualNetwork, ThatDoesNotFitIsRefusedInWords) {
  const auto refused = [](const std::string& block, const Shape& input) {
    return request_error(
        [&] { model_of("[" + block + ", dense: {units: classes, activation: softmax}]", input); });
  };
  EXPECT_EQ(
      refused("residual: {layers: [conv2d: {filters: 4, kernel_size: 3}]}", {20, 9}),
      "test.yaml:1:19: model[0].residual: no projection brings (20, 9) to (18, 7, 4), the shape of the "
      "body's "
      "output: strides cannot do that; the body can keep it (padding: same), or shortcut can list layers");
  EXPECT_NE(refused("residual: {layers: [lstm: 4]}", {20, 9}).find("no projection brings (20, 9) to (4,)"),
            std::string::npos);
  EXPECT_NE(refused("residual: {layers: [dense: 4], shortcut: []}", {9})
                .find("model[0].residual: the body's output is (4,), and the shortcut's (9,)"),
            std::string::npos);
  EXPECT_NE(
      refused("residual: {layers: [dense: 9, max_pooling1d: {pool_size: 30}]}", {20, 9})
          .find("model[0].residual.layers[1].max_pooling1d: pool 30 is longer than the sequence (20, 9)"),
      std::string::npos);
  EXPECT_NE(refused("residual: {layers: [dense: 9, conv2d: {filters: 1, kernel_size: 1}]}", {20, 9})
                .find("within a block needs an input (H, W, C), not (20, 9)"),
            std::string::npos);
  EXPECT_NE(refused("residual: {layers: []}", {9}).find("model[0].residual: has no layers"),
            std::string::npos);
  EXPECT_NE(refused("residual: {layers: [residual: [dense: 9]]}", {9}).find("holds no other block"),
            std::string::npos);
  EXPECT_NE(refused("residual: {layers: [dens: 9]}", {9}).find("did you mean 'dense'"), std::string::npos);
  EXPECT_NE(
      refused("residual: {layers: [dense: {units: 0}]}", {9}).find("model[0].residual.layers[0].dense.units"),
      std::string::npos);
  EXPECT_NE(refused("residual", {9}).find("'layers' is missing"), std::string::npos);
}

TEST(BackwardPlan, OfAChainTakesTwoBuffersInTurn) {
  const std::vector<LayerPassed> layers{
      {0, -1, 1, false, false}, {1, -1, 2, true, false}, {2, -1, 3, true, false}, {3, -1, 4, false, false}};
  const auto wanted = wanted_gradients(layers);
  EXPECT_EQ(wanted, (std::vector<bool>{false, false, true, true, true}));
  const auto plan = plan_backward(layers, wanted);
  ASSERT_EQ(plan.steps.size(), 3u);
  EXPECT_EQ(plan.buffers, 2);
  EXPECT_EQ(plan.steps[0].dy, 0);
  EXPECT_EQ(plan.steps[0].dx, 1);
  EXPECT_EQ(plan.steps[1].dx, 0);
  EXPECT_EQ(plan.steps[2].layer, 1u);
  EXPECT_EQ(plan.steps[2].dx, -1) << "nothing before it trains";
}

}  // namespace
}  // namespace timbre::nn::testing
