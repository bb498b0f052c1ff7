#include <set>

#include "data/waveform_copies.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

using test::TempFolder;
using test::tone;
using test::write_wav;

/// Four clips of two genres; segments of half a second that overlap.
class Copies : public testing::Test {
 protected:
  Copies() {
    for (int i = 0; i < 2; ++i) {
      write_wav(root / fmt::format("data/blues/b{}.wav", i), tone(1.2 + 0.5 * i, i));
      write_wav(root / fmt::format("data/rock/r{}.wav", i), tone(1.0 + 0.25 * i, 20 + i));
    }
    dataset.path = root / "data";
    dataset.segment.emplace();
    dataset.segment->length.seconds = 0.5, dataset.segment->hop_seconds = 0.2;
    options.sample_rate = 8000, options.n_fft = 512, options.hop_length = 256;
    options.n_mels = 20, options.n_mfcc = 5;
    waveform.gain.emplace();
    index = index_clips(dataset);
    resolve_segments(dataset, index);
  }
  FeatureSet copy(int number, int threads = 2) {
    ThreadPool pool(threads);
    return load_copy(waveform, number, index, dataset, options, root / "store", pool, {}, 1 << 30);
  }
  FeatureSet plain() {
    ThreadPool pool(2);
    return load_features(index, dataset, options, root / "store", pool);
  }
  TempFolder root;
  DatasetOptions dataset;
  features::FeatureOptions options;
  audio::WaveformOptions waveform;
  ClipIndex index;
};

TEST_F(Copies, HaveTheRowsOfTheDataSetWithAnotherSound) {
  const auto here = plain(), one = copy(1), two = copy(2);
  EXPECT_GT(here.rows(), 12);
  for (const auto* set : {&one, &two}) {
    EXPECT_EQ(set->clip, here.clip);
    EXPECT_EQ(set->segment, here.segment);
    EXPECT_EQ(set->label, here.label);
    EXPECT_NE(set->features, here.features);
    EXPECT_NE(set->key, here.key);
  }
  EXPECT_NE(one.features, two.features);
  // A gain moves the first coefficient alone: those of a segment overlap its neighbour's, and each has its own.
  std::set<float> moved;
  const auto row = std::size_t(here.shape.size());
  for (std::size_t r = 0; r < std::size_t(here.rows()); ++r) {
    moved.insert(one.features[r * row] - here.features[r * row]);
    EXPECT_NEAR(one.features[r * row + 1], here.features[r * row + 1], 1e-2);
  }
  EXPECT_EQ(std::ssize(moved), here.rows());
}

TEST_F(Copies, AreMadeOnceAndAlikeOnAnyNumberOfThreads) {
  const auto first = copy(1, 1);
  EXPECT_FALSE(first.from_cache);
  EXPECT_TRUE(copy(1).from_cache);
  waveform.copies = 5;  // how many there are changes none of them
  EXPECT_TRUE(copy(1).from_cache);
  waveform.gain->db = {-3, 3};
  EXPECT_FALSE(copy(1).from_cache);
  waveform.gain->db = {-6, 6};
  std::filesystem::remove_all(root / "store");
  EXPECT_EQ(copy(1, 3).features, first.features);
}

TEST_F(Copies, StandBesideTheirSegments) {
  const auto here = plain(), one = copy(1);
  const auto n = here.rows(), width = here.shape.size();
  std::vector<std::unique_ptr<RowSource>> sources;
  sources.push_back(std::make_unique<MemoryRows>(here.features.data(), n, width));
  sources.push_back(std::make_unique<MemoryRows>(one.features.data(), n, width));
  RowsWithCopies rows(std::move(sources));
  EXPECT_EQ(rows.rows(), 2 * n);
  std::vector<float> row(static_cast<std::size_t>(width));
  for (std::int32_t r = 0; r < 2 * n; ++r) {
    rows.read(r, row.data());
    const auto& from = r < n ? here.features : one.features;
    EXPECT_TRUE(std::equal(row.begin(), row.end(), from.begin() + r % n * width)) << r;
  }
  EXPECT_EQ(with_copies({3, 5}, 10, 2), (std::vector<std::int32_t>{3, 5, 13, 15, 23, 25}));
  EXPECT_EQ(with_copies({3, 5}, 10, 0), (std::vector<std::int32_t>{3, 5}));
  EXPECT_THROW(with_copies({3}, std::int64_t{1} << 30, 2), RequestError);
}

}  // namespace
}  // namespace timbre::data
