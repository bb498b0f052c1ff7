// What may be called better, what an interval is over, and who chooses what is tested.
#include <gtest/gtest.h>

#include <cmath>

#include "core/philox.hpp"
#include "records.hpp"
#include "report/analysis.hpp"
#include "report/selection.hpp"

namespace timbre::report {
namespace {

/// A run tested on clips with answers of two models; `group` of each clip.
struct Answered {
  RunSummary run;
  Scores first, second;
};

Answered answered(int seed, int clips) {
  Answered a;
  a.run.status = "finished", a.run.repetition = std::to_string(seed), a.run.split = 0;
  a.run.train_segments = 600, a.run.test_segments = clips, a.run.artist_share = std::nan("");
  for (int i = 0; i < clips; ++i)
    for (auto* s : {&a.first, &a.second})
      s->clip.push_back(i), s->label.push_back(1), s->prediction.push_back(0), s->group.push_back(i);
  return a;
}

void finish(Answered& a) {
  for (auto* s : {&a.first, &a.second}) {
    double right = 0;
    for (std::size_t i = 0; i < s->clip.size(); ++i) right += s->label[i] == s->prediction[i];
    s->clip_accuracy = right / double(s->clip.size());
  }
}

Comparison compare(const std::vector<Answered>& runs) {
  std::vector<Pair> pairs;
  for (const auto& a : runs) pairs.push_back({&a.run, &a.first, &a.second});
  return compare_on_clips(pairs);
}

TEST(Inference, LeaveOneSpeakerOutIsJudgedBySpeakers) {
  // Six speakers with 500 clips each: five prefer the first a little, one the second by far.
  std::vector<Answered> runs;
  for (int speaker = 0; speaker < 6; ++speaker) {
    auto a = answered(speaker, 500);
    a.run.split = speaker, a.run.fold = std::to_string(speaker), a.run.artist_share = 0;
    for (int i = 0; i < 500; ++i) {
      for (auto* s : {&a.first, &a.second})
        s->clip[std::size_t(i)] = 500 * speaker + i, s->group[std::size_t(i)] = speaker;
      a.first.prediction[std::size_t(i)] = i < (speaker == 5 ? 150 : 350);
      a.second.prediction[std::size_t(i)] = i < 250;
    }
    finish(a), runs.push_back(a);
  }
  auto c = compare(runs);
  adjust({&c});
  EXPECT_EQ(c.unit, "group");
  EXPECT_EQ(c.units, 6);
  EXPECT_EQ(c.clips, 3000);
  EXPECT_GT(c.p_value, 0.2);  // over clips it would be 1e-20
  EXPECT_LT(c.difference.low, 0);
  EXPECT_EQ(c.verdict(), Verdict::undecided);
  // Without known speakers, the folds are the largest unit.
  for (auto& a : runs) a.run.artist_share = std::nan(""), a.first.group.clear(), a.second.group.clear();
  EXPECT_EQ(compare(runs).unit, "fold");
  for (auto& a : runs) a.run.fold.clear();
  EXPECT_EQ(compare(runs).unit, "clip");
}

TEST(Inference, BetterNeedsTheTestAndTheInterval) {
  const auto runs_of = [](const std::vector<int>& leads) {
    std::vector<Answered> runs;
    for (std::size_t s = 0; s < leads.size(); ++s) {
      auto a = answered(int(s), 100);
      for (int i = 0; i < 100; ++i) {
        a.first.prediction[std::size_t(i)] = i < 50 + leads[s];
        a.second.prediction[std::size_t(i)] = i < 50;
      }
      finish(a), runs.push_back(a);
    }
    return runs;
  };
  auto sure = compare(runs_of({18, 20, 22})), mixed = compare(runs_of({45, -10, 35})),
       two = compare(runs_of({20, 20}));
  for (auto* c : {&sure, &mixed, &two}) adjust({c});
  EXPECT_EQ(sure.verdict(), Verdict::first);
  EXPECT_LT(mixed.p_value, 0.01);  // clips alone would say better; the seeds do not
  EXPECT_EQ(mixed.verdict(), Verdict::undecided);
  EXPECT_LT(two.p_value, 0.01);
  EXPECT_EQ(two.verdict(), Verdict::undecided);
  EXPECT_FALSE(two.difference.has_interval());
}

// Five seeds on one test part of 290 clips, models equally good, runs that differ by up to 3.9 points: a pooled test over
// clips rejected up to 20 of 100 times.
TEST(Inference, NullIsRejectedNoMoreOftenThanFiveTimesOfAHundred) {
  for (const double deviation : {0.0, 0.2, 0.4}) {
    constexpr int trials = 1000;
    int better = 0, clips_alone = 0;
    for (int t = 0; t < trials; ++t) {
      PhiloxSequence random(13, 95, std::uint32_t(t));
      std::vector<double> ease;
      for (int i = 0; i < 290; ++i) ease.push_back(1 + 2 * random.normal());
      std::vector<Answered> runs;
      for (int seed = 0; seed < 5; ++seed) {
        auto a = answered(seed, 290);
        const double luck[] = {deviation * random.normal(), deviation * random.normal()};
        for (std::size_t i = 0; i < 290; ++i) {
          a.first.prediction[i] = random.uniform() < 1 / (1 + std::exp(-ease[i] - luck[0]));
          a.second.prediction[i] = random.uniform() < 1 / (1 + std::exp(-ease[i] - luck[1]));
        }
        finish(a), runs.push_back(std::move(a));
      }
      auto c = compare(runs);
      adjust({&c});
      better += c.verdict() != Verdict::undecided, clips_alone += c.p_value < 0.05;
    }
    std::printf("runs differ by %.1f logits: rejected %.1f%%, by clips alone %.1f%%\n", deviation,
                100.0 * better / trials, 100.0 * clips_alone / trials);
    EXPECT_LE(better, 0.05 * trials);
    if (deviation == 0.4) {
      EXPECT_GE(clips_alone, 0.12 * trials);
    }
  }
}

TEST(Inference, HolmIsOverAllTestsAndFewUnitsCanShowNothing) {
  Comparison a, b;
  a.p_value = 0.03, a.least = 1.0 / 32, a.detectable = 0.2, b.p_value = 0.04, b.least = 1e-9,
  b.detectable = 0.2;
  adjust({&a, &b});
  EXPECT_NEAR(a.adjusted, 0.06, 1e-15);
  EXPECT_TRUE(std::isnan(a.detectable));  // 2/64 twice is above 5%
  EXPECT_EQ(b.detectable, 0.2);
}

TEST(Selection, EachSplitChoosesForItself) {
  // Over both splits "0" has the best mean; in split 1 the best is "0.1". Only validation decides.
  Results r;
  const auto add = [&](int seed, const char* l2, int validation, int test) {
    r.add({.seed = seed,
           .l2 = l2,
           .validation_right = validation,
           .test_right = test,
           .first_test_clip = 10 * seed,
           .first_validation_clip = 100 + 10 * seed});
  };
  add(0, "0", 9, 2), add(0, "0.1", 5, 10), add(1, "0", 7, 10), add(1, "0.1", 8, 4);
  const auto a = analyse(r.files(), {});
  const auto& f = a.families[0];
  EXPECT_TRUE(f.nested);
  EXPECT_EQ(f.chosen, 0u);
  ASSERT_EQ(f.choices.size(), 2u);
  EXPECT_EQ(f.choices[0].configuration, 0u);
  EXPECT_EQ(f.choices[1].configuration, 1u);
  EXPECT_NEAR(f.selected.test->clip.mean, 0.3, 1e-12);
  EXPECT_EQ(f.selected.name, "l2 0 (1 of 2 splits); l2 0.1 (1)");
  const auto chosen = chosen_runs(a);
  ASSERT_EQ(chosen.size(), 2u);
  EXPECT_EQ(chosen[0].why, "chosen on validation among 2 configurations of mlp, in this split");
  EXPECT_FALSE(chosen[0].sealed);
}

TEST(Selection, OnOneSplitTheMeanOverSeedsChooses) {
  Results r;
  for (const int seed : {0, 1, 2})
    for (const auto* l2 : {"0", "0.1"})
      r.add({.seed = seed, .l2 = l2, .validation_right = l2[1] ? 7 : 5 + 2 * seed, .test_right = 5});
  const auto a = analyse(r.files(), {});
  EXPECT_FALSE(a.families[0].nested);
  EXPECT_EQ(a.families[0].selected.scored, 3);
  EXPECT_EQ(a.families[0].selected.runs, a.families[0].configurations[*a.families[0].chosen].runs);
}

TEST(Selection, TheGapIsOfTheKeptWeightsWhereTheyWereScored) {
  Results r;
  auto record = made({.validation_right = 6});  // 83.3% as epoch 3 ran, with dropout
  record.scores.train = results::TrainRecord{.accuracy = 0.95, .loss = 0.2};
  r.add(record);
  r.write();
  const auto a = analyse(r.files(), {});
  EXPECT_NEAR(a.families[0].selected.gap.mean, 0.35, 1e-12);
  EXPECT_TRUE(a.families[0].selected.train_measured);
  EXPECT_TRUE(
      has(r.markdown(),
          "training accuracy is 95.0% and validation accuracy 60.0% (segments), a gap of 35.0 points;"))
      << r.markdown();
  EXPECT_FALSE(has(r.markdown(), "of an earlier version)"));
}

TEST(Selection, SealedResultsAreChosenAmongAndShownWithoutTestFigures) {
  Results r;
  for (const int seed : {0, 1, 2})
    for (const auto* l2 : {"0", "0.1"}) {
      auto record = made({.seed = seed,
                          .l2 = l2,
                          .validation_right = l2[1] ? 8 : 6,
                          .first_test_clip = 10 * seed,
                          .first_validation_clip = 100 + seed});
      if (!l2[1])
        record.test.reset();
      else
        record.scores.looks = {{"run_study s", "chosen"}};
      r.add(record);
    }
  r.write();
  const auto a = analyse(r.files(), {});
  const auto& f = a.families[0];
  EXPECT_TRUE(f.selected.test);
  EXPECT_FALSE(f.configurations[0].test);
  EXPECT_FALSE(f.against_reference);
  EXPECT_TRUE(has(r.markdown(), "The test parts of 3 runs are sealed: they were never scored."))
      << r.markdown();
  EXPECT_TRUE(has(r.markdown(), "3 by run\\_study s")) << r.markdown();
  EXPECT_TRUE(has(r.markdown(), "No test clip helped to choose what it was used to test"));
}

}  // namespace
}  // namespace timbre::report
