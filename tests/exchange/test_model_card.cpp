// The model card of a record: what must stand in it, and what a hostile text cannot do to it.
#include <gtest/gtest.h>

#include "exchange/model_card.hpp"
#include "results/record.hpp"

namespace timbre::exchange {
namespace {

results::RunRecord record() {
  auto r = results::example_record();
  r.config =
      "experiment: lstm\nseed: 7\ndataset: {path: /music, segment_seconds: 3}\n"
      "features: {kind: mfcc, sample_rate: 22050, n_fft: 2048, hop_length: 512}\nsplit: {group_by: "
      "segment}\n";
  return r;
}
void expect_in(const std::string& card, const std::string& text) {
  EXPECT_NE(card.find(text), std::string::npos) << text << " is not in\n" << card;
}

TEST(ModelCard, SaysWhatARecordHolds) {
  const auto card = model_card(record());
  EXPECT_EQ(card, model_card(record()));
  for (const auto* heading : {"# lstm\n", "## What it hears", "## Data", "## Figures",
                              "## What it was not tested on", "## How to run it"})
    expect_in(card, heading);
  expect_in(card, "probabilities of 3 genres (blues, jazz, rock)");
  expect_in(card, "Audio at 22050 Hz, the mean of its channels, in segments of 3 s");
  expect_in(card, "Segments: 4 to train, 2 to validate, 4 to test; parts dealt by segment.");
  expect_in(card, "**LEAKS**");
  expect_in(card, "- test clips with segments in training: 75.0%");
  expect_in(card, "| test | 3 of 3 | 100.0% | 43.9 to 100.0% |");  // Wilson's interval of 3 in 3
  expect_in(card, "| jazz | 2 | 2 | 0 |");
  expect_in(card, "the data name no artists");
  expect_in(card, "fewer than ten each were tested");
  EXPECT_EQ(card.find("/music"), std::string::npos) << "a place of data leaves";
}

TEST(ModelCard, DoesNotClaimWhatWasNotTested) {
  auto r = record();
  r.test.reset(), r.split.leaks = false, r.split.clip_share_in_train = 0;
  r.synthetic = true;
  const auto card = model_card(r);
  expect_in(card, "**SYNTHETIC**");
  expect_in(card, "The test part is sealed, or was not scored.");
  EXPECT_EQ(card.find("| test |"), std::string::npos);
  r.validation.reset();
  expect_in(model_card(r), "It was scored on nothing.");
}

TEST(ModelCard, KeepsTextsOfStrangersInTheirPlace) {
  auto r = record();
  r.label_names = {"a | b", "<script>", "c\n# heading"};
  const auto card = model_card(r);
  EXPECT_EQ(card.find("a | b"), std::string::npos);
  expect_in(card, "a \\| b");
  expect_in(card, "\\<script\\>");
  EXPECT_EQ(card.find("\n# heading"), std::string::npos);
}

}  // namespace
}  // namespace timbre::exchange
