#include <gtest/gtest.h>

#include "report/settings.hpp"

namespace timbre::report {
namespace {

using config::Node;
using Texts = std::vector<std::string>;

Node yaml(const std::string& text) { return config::parse_text(text, "test", "."); }

Texts differing_of(const Texts& documents) {
  std::vector<Node> nodes;
  for (const auto& d : documents) nodes.push_back(yaml(d));
  std::vector<const Node*> roots;
  for (const auto& n : nodes) roots.push_back(&n);
  return differing(roots);
}

TEST(Settings, DifferencesAreNamedAtTheLowestPath) {
  EXPECT_EQ(differing_of({"a: 1\nb: {c: 2, d: [1, 2]}", "a: 1\nb: {c: 3, d: [1, 2]}"}), (Texts{"b.c"}));
  EXPECT_EQ(differing_of({"model: [{dense: {units: 4}}, {dense: {units: 2}}]",
                          "model: [{dense: {units: 8}}, {dense: {units: 2}}]"}),
            (Texts{"model[0].dense.units"}));
  EXPECT_EQ(differing_of({"a: 1", "a: 1"}), Texts{});
  EXPECT_EQ(differing_of({"a: 1"}), Texts{});
}

TEST(Settings, AChoiceOfPartsIsOneDifference) {
  EXPECT_EQ(differing_of({"t: {optimizer: {adam: {learning_rate: 1, eps: 2}}}",
                          "t: {optimizer: {sgd: {learning_rate: 3}}}"}),
            (Texts{"t.optimizer"}));
  EXPECT_EQ(differing_of({"t: {stop: null}", "t: {stop: {patience: 20, monitor: x}}"}), (Texts{"t.stop"}));
  EXPECT_EQ(
      differing_of({"model: [{dense: {units: 4}}]", "model: [{dense: {units: 4}}, {dense: {units: 4}}]"}),
      (Texts{"model"}));
  EXPECT_EQ(differing_of({"kernel: [3, 3]", "kernel: [2, 3]"}), (Texts{"kernel"}));
}

TEST(Settings, DropoutRatesThatFollowFromTheGlobalOneAreNoDifference) {
  const auto with = [](const std::string& global, const std::string& rate) {
    return "model: [{dropout: {rate: " + rate + "}}]\nregularisation: {dropout: " + global + "}";
  };
  EXPECT_EQ(differing_of({with("null", "0.3"), with("0.1", "0.1"), with("0.2", "0.2")}),
            (Texts{"regularisation.dropout"}));
  EXPECT_EQ(differing_of({with("null", "0.3"), with("null", "0.5")}), (Texts{"model[0].dropout.rate"}));
  EXPECT_EQ(differing_of({with("null", "0.3"), with("null", "0.5"), with("0.1", "0.1")}),
            (Texts{"model[0].dropout.rate", "regularisation.dropout"}));
}

TEST(Settings, OverridesLeadFromOneConfigurationToTheOther) {
  const auto a = yaml("x: 1\nt: {o: {adam: {r: 1}}, s: null}\nname: plain");
  const auto b = yaml("x: 1e-05\nt: {o: {sgd: {r: 1}}, s: {patience: 3}}\nname: \"it's\"");
  const auto text = overrides(a, b);
  EXPECT_EQ(text,
            "--set x=1e-5 --set 't.o={sgd: {r: 1}}' --set 't.s={patience: 3}' --set 'name=\"it'\\''s\"'");
  auto c = a;
  for (const std::string one : {"x=1e-5", "t.o={sgd: {r: 1}}", "t.s={patience: 3}", "name=\"it's\""})
    config::apply_override(c, one);
  EXPECT_EQ(flow(c.find("t")), flow(b.find("t")));
  EXPECT_EQ(c.find("name")->scalar, "it's");
}

}  // namespace
}  // namespace timbre::report
