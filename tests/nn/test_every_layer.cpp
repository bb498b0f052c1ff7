// What every registered layer must do, with the examples it was registered with: a new layer is tested by being there.
// Whether it computes what Keras does is for the golden files of its own test.
#include "layer_harness.hpp"

namespace timbre::nn {
namespace {

using namespace testing;

struct Case {
  std::string type;
  LayerExample example;
  bool masked = false;
  RunSettings settings(RunSettings s = {}) const {
    s.masked = masked;
    return s;
  }
  std::unique_ptr<Layer> layer() const {
    return make_layer(example.options.empty() ? type : type + ": " + example.options);
  }
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.type << " " << c.example.options << (c.masked ? " of masked steps" : "");
}

std::vector<Case> cases() {
  std::vector<Case> out;
  const auto& registry = LayerRegistry::instance();
  for (const auto& type : registry.names())
    for (const auto& example : registry.find(type)->examples) {
      out.push_back({type, example});
      if (out.back().layer()->mask_use() == MaskUse::takes) out.push_back({type, example, true});
    }
  return out;
}

class EveryLayer : public ::testing::TestWithParam<Case> {};

TEST(LayerRegistry, HasExamplesOfEveryLayer) {
  const auto& registry = LayerRegistry::instance();
  ASSERT_FALSE(registry.names().empty());
  for (const auto& type : registry.names()) {
    EXPECT_FALSE(registry.find(type)->examples.empty())
        << type << ": no test that loops over the layers tries it";
    EXPECT_FALSE(registry.find(type)->describe().summary.empty()) << type;
  }
}

TEST_P(EveryLayer, IsReadBackFromItsOwnDescription) {
  const auto& c = GetParam();
  const auto layer = c.layer();
  EXPECT_EQ(layer->type(), c.type);
  const auto text = config::to_yaml(layer->dump());
  const auto again = make_layer(text);
  EXPECT_EQ(config::to_yaml(again->dump()), text);
  EXPECT_EQ(again->keras_config().dump(), layer->keras_config().dump());
  EXPECT_FALSE(layer->keras_class().empty());
  EXPECT_EQ(again->infer(c.example.input).extents(), layer->infer(c.example.input).extents());
  const auto a = layer->parameters(c.example.input), b = again->parameters(c.example.input);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_EQ(a[i].shape.extents(), b[i].shape.extents());
  }
}

TEST_P(EveryLayer, GivesTheSameBytesOnAnyNumberOfThreads) {
  const auto& c = GetParam();
  const auto layer = c.layer();
  LayerRun one(*layer, c.example.input, 9, c.settings({.threads = 1})),
      many(*layer, c.example.input, 9, c.settings({.threads = 3}));
  for (auto* run : {&one, &many})
    for (std::uint32_t step = 0; step < 2; ++step) run->forward(true, step), run->backward(step);
  EXPECT_TRUE(same_bytes(one.y_rows(), many.y_rows()));
  EXPECT_TRUE(same_bytes(one.dx_rows(), many.dx_rows()));
  for (const auto& name : one.names) {
    EXPECT_TRUE(same_bytes(one.gradients[name], many.gradients[name])) << name;
    EXPECT_TRUE(same_bytes(one.parameters[name], many.parameters[name])) << name;
  }
}

TEST_P(EveryLayer, TreatsRowsAloneOutsideTraining) {
  const auto& c = GetParam();
  const auto layer = c.layer();
  LayerRun all(*layer, c.example.input, 6, c.settings({.capacity = 8}));
  for (const auto& spec : layer->parameters(c.example.input))
    if (!spec.trainable)  // moving statistics: a variance is positive
      for (auto& v : all.parameters[spec.name]) v = std::abs(v) + 0.1f;
  all.forward(false);
  EXPECT_TRUE(all.rest_untouched());
  const std::vector<float> whole(all.y_rows().begin(), all.y_rows().end());
  EXPECT_TRUE(std::all_of(whole.begin(), whole.end(), [](float v) { return std::isfinite(v); }));
  all.set_rows(2);
  all.forward(false);
  EXPECT_TRUE(same_bytes(all.y_rows(), std::span(whole).first(all.y_rows().size())));
  // The last row by itself, first.
  const auto width = std::size_t(c.example.input.size());
  std::copy_n(all.x.begin() + 5 * std::ptrdiff_t(width), width, all.x.begin());
  all.set_rows(1);
  all.forward(false);
  EXPECT_TRUE(same_bytes(all.y_rows(), std::span(whole).last(all.y_rows().size())));
}

// <gradient, v> against the difference of sum(y dy) along v, for the input and every trainable parameter.
TEST_P(EveryLayer, HasTheGradientsOfItsForward) {
  const auto& c = GetParam();
  const auto layer = c.layer();
  LayerRun run(*layer, c.example.input, 5, c.settings());
  const auto loss = [&] {
    run.forward(true, 4);
    double sum = 0;
    for (std::size_t i = 0; i < run.dy.size(); ++i) sum += double(run.y_rows()[i]) * double(run.dy[i]);
    return sum;
  };
  run.forward(true, 4);
  run.backward(4);
  const auto check = [&](const std::string& name, std::vector<float>& values, std::size_t used,
                         std::vector<float> gradient) {
    // Several directions: a kink that a small step passes disturbs few of them.
    std::vector<double> errors;
    const auto before = values;
    for (std::uint64_t seed = 0; seed < 7; ++seed) {
      const auto v = normals(std::int64_t(used), 50 + seed);
      double expected = 0, scale = 0;
      for (std::size_t i = 0; i < used; ++i) {
        expected += double(gradient[i]) * double(v[i]);
        scale += double(gradient[i]) * double(gradient[i]);
      }
      constexpr float h = 2e-4f;
      const auto moved = [&](float by) {
        for (std::size_t i = 0; i < used; ++i) values[i] = before[i] + by * v[i];
        return loss();
      };
      const double up = moved(h), down = moved(-h);
      values = before;
      errors.push_back(std::abs((up - down) / (2 * double(h)) - expected) / std::sqrt(scale + 1e-12));
    }
    std::nth_element(errors.begin(), errors.begin() + 3, errors.end());
    EXPECT_LT(errors[3], 0.05) << name;  // of a wrong one it is about 1
  };
  const std::vector<float> dx(run.dx_rows().begin(), run.dx_rows().end());
  const auto gradients = run.gradients;
  check("the input", run.x, dx.size(), dx);
  for (const auto& name : run.names)
    if (!gradients.at(name).empty()) {
      for (const float g : gradients.at(name))
        ASSERT_TRUE(std::isfinite(g)) << name << " was not written whole";
      check(name, run.parameters[name], gradients.at(name).size(), gradients.at(name));
    }
}

INSTANTIATE_TEST_SUITE_P(Registered, EveryLayer, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.type + "_" + std::to_string(info.index); });

}  // namespace
}  // namespace timbre::nn
