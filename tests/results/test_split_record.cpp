// What a result keeps of leaks: shares, related clips, missing classes; and the stamps that follow.
#include <gtest/gtest.h>

#include <cmath>

#include "record.hpp"
#include "results/describe.hpp"

namespace timbre::results {
namespace {

using storage::H5File;
using timbre::test::TemporaryFolder;

RunRecord leaking() {
  auto r = example_record();
  r.split.leaks = true, r.split.clip_share_in_train = 0, r.split.artist_share_in_train = 0.6;
  r.split.looked = true;
  r.split.shares = {{"test", "train", "related", 4, 4, 1}, {"validation", "train", "artist", 2, 0, 0}};
  r.split.related = {{{"jazz/b.wav", "rock/c.wav", false, 0.125, -2.5}, "train", "test+train"},
                     {{"blues/a.wav", "jazz/ü.wav", true, 0, 0}, "", "test"}};
  r.split.missing = {"test: blues"};
  r.test->clips.heard = {2, 0, 4}, r.test->clips.group = {1, 2, 3};
  return r;
}

TEST(SplitRecord, IsReadAsItWasWritten) {
  const TemporaryFolder folder;
  const auto r = leaking();
  write_result(folder / "result.h5", r);
  const auto b = read_result(folder / "result.h5");
  ASSERT_EQ(b.split.shares.size(), 2u);
  EXPECT_EQ(b.split.shares[0].relation, "related");
  EXPECT_EQ(b.split.shares[0].share(), 0.25);
  EXPECT_EQ(b.split.shares[1].clips, 2);
  EXPECT_TRUE(std::isnan(b.split.shares[1].share()));
  EXPECT_EQ(b.split.related_share_in_train(), 0.25);
  ASSERT_EQ(b.split.related.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(b.split.related[i].clips, r.split.related[i].clips);
    EXPECT_EQ(b.split.related[i].part_a, r.split.related[i].part_a);
    EXPECT_EQ(b.split.related[i].part_b, r.split.related[i].part_b);
  }
  EXPECT_EQ(b.split.missing, r.split.missing);
  EXPECT_EQ(b.split.notes, r.split.notes);
  EXPECT_EQ(b.test->clips.heard, r.test->clips.heard);
  EXPECT_EQ(b.test->clips.group, r.test->clips.group);
  const auto file = H5File::open(folder / "result.h5");
  EXPECT_EQ(file.read_texts("/split/related/relation"),
            (std::vector<std::string>{"near_duplicate", "same_audio"}));
  EXPECT_EQ(file.read_doubles("/split/related/offset_seconds"), (std::vector<double>{-2.5, 0}));
}

TEST(SplitRecord, OfARunThatLookedAndFoundNothingSaysSo) {
  const TemporaryFolder folder;
  auto r = example_record();
  write_result(folder / "blind.h5", r);
  EXPECT_FALSE(read_result(folder / "blind.h5").split.looked);
  r.split.looked = true;
  write_result(folder / "looked.h5", r);
  const auto b = read_result(folder / "looked.h5");
  EXPECT_TRUE(b.split.looked);
  EXPECT_TRUE(b.split.related.empty());
}

TEST(SplitRecord, GivesItsStamps) {
  auto r = leaking();
  EXPECT_EQ(stamps(r),
            "LEAKS: 25.0% of the test clips have a copy or near duplicate in the training part; the figures "
            "are too good\n"
            "ARTISTS: 60.0% of the test clips are by artists who are also in the training part; for other "
            "artists the figures are too good\n"
            "MISSING: parts lack classes (test: blues); the figures say nothing about these classes there\n");
  EXPECT_EQ(split_stamps(r.split)[1].brief, "ARTISTS 60%");
  EXPECT_NE(describe_result(r).find("jazz/b.wav (train) and rock/c.wav (test+train): near duplicate, 12.5%"),
            std::string::npos)
      << describe_result(r);
  r.split.leaks = false, r.split.artist_share_in_train = 0, r.split.missing.clear();
  EXPECT_EQ(stamps(r), "");
}

TEST(SplitRecord, OfDifferentLengthsIsDamaged) {
  const TemporaryFolder folder;
  auto file = H5File::create(folder / "split.h5");
  SplitRecord split;
  split.test = {1};
  write_split(file, split);
  file.write_texts("/split/related/clip_a", {"a", "b"});
  for (const auto* name : {"clip_b", "relation", "part_a", "part_b"})
    file.write_texts(std::string("/split/related/") + name, {"x"});
  for (const auto* name : {"error_rate", "offset_seconds"})
    file.write(std::string("/split/related/") + name, std::vector<double>{0}, {1});
  file.close();
  const auto in = H5File::open(folder / "split.h5");
  try {
    read_split(in);
    FAIL() << "was read";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("is damaged: /split/related"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace timbre::results
