#include <gtest/gtest.h>

#include "config/settings.hpp"

namespace timbre::config {
namespace {

using Texts = std::vector<std::string>;

Node yaml(const std::string& text) { return parse_text(text, "test", "."); }

Texts texts_of(const Texts& values) {
  std::vector<Node> nodes;
  for (const auto& v : values) nodes.push_back(yaml("v: " + v));
  std::vector<const Node*> pointers;
  for (const auto& n : nodes) pointers.push_back(n.find("v"));
  return short_texts(pointers);
}

TEST(Settings, ShortTextsSayWhatTellsValuesApart) {
  EXPECT_EQ(texts_of({"null", "{monitor: val_loss, patience: 20}"}), (Texts{"off", "patience 20"}));
  EXPECT_EQ(texts_of({"{monitor: val_loss, patience: 20}", "{monitor: loss, patience: 20}"}),
            (Texts{"monitor val_loss", "monitor loss"}));
  EXPECT_EQ(texts_of({"{adam: {learning_rate: 0.1}}", "{sgd: {learning_rate: 0.2}}"}),
            (Texts{"adam", "sgd"}));
  EXPECT_EQ(texts_of({"{adam: {learning_rate: 0.1}}", "{adam: {learning_rate: 0.2}}"}),
            (Texts{"adam learning_rate 0.1", "adam learning_rate 0.2"}));
  EXPECT_EQ(texts_of({"1e-05", "0.001", "true"}), (Texts{"1e-5", "0.001", "true"}));
  EXPECT_EQ(texts_of({"0.000123456789", "1234567890", "0.25"}), (Texts{"0.0001235", "1234567890", "0.25"}));
  // Where short texts would be the same, everything is said.
  EXPECT_EQ(texts_of({"[{dense: {units: 1}}]", "[{dense: {units: 2}}]"}),
            (Texts{"[{dense: {units: 1}}]", "[{dense: {units: 2}}]"}));
  EXPECT_EQ(texts_of({"null", "{short: null, features: {mixup: {alpha: 0.2}, crop: null}, waveform: null}",
                      "{short: null, features: {mixup: {alpha: 0.4}, crop: null}, waveform: null}",
                      "{short: null, features: {mixup: null, crop: 9}, waveform: null}"}),
            (Texts{"off", "features: {mixup: {alpha: 0.2}}", "features: {mixup: {alpha: 0.4}}",
                   "features: {crop: 9}"}));
}

TEST(Settings, NamesAreShortButNotAmbiguous) {
  EXPECT_EQ(short_names({"regularisation.l2", "training.epochs"}), (Texts{"l2", "epochs"}));
  EXPECT_EQ(short_names({"a.x", "b.x", "model[0].dense.units"}),
            (Texts{"a.x", "b.x", "model[0].dense.units"}));
}

TEST(Settings, PathsThatLeadNowhereFindNothing) {
  const auto root = yaml("model: [{dense: {units: 4}}]");
  EXPECT_EQ(at(root, "model[0].dense.units")->scalar, "4");
  for (const auto* path :
       {"model[1]", "model[x]", "model[]", "model[", "other", "model.dense", "model[0].dense.units.x"})
    EXPECT_EQ(at(root, path), nullptr) << path;
}

}  // namespace
}  // namespace timbre::config
