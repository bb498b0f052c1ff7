// Event files: records and their checksums, and the values in them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "exchange/tensorboard.hpp"
#include "read_protobuf.hpp"
#include "results/record.hpp"
#include "support.hpp"

namespace timbre::exchange {
namespace {

using namespace test;

TEST(Crc32c, IsCastagnolis) {
  // RFC 3720, B.4, and the check value of the catalogue of CRCs.
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(""), 0u);
  const auto crc = 0xe3069283u;
  EXPECT_EQ(masked_crc32c("123456789"), ((crc >> 15) | (crc << 17)) + 0xa282ead8u);
}

struct ReadEvent {
  double when = 0;
  std::int64_t step = 0;
  std::string version, tag, plugin, content, image, text;
  float scalar = 0;
};

std::vector<ReadEvent> read_events(std::string_view bytes) {
  std::vector<ReadEvent> out;
  while (!bytes.empty()) {
    const auto head = bytes.substr(0, 8);
    const auto size = take_fixed(bytes, 8);
    EXPECT_EQ(take_fixed(bytes, 4), masked_crc32c(head));
    if (size > bytes.size()) throw std::runtime_error("a record is cut short");
    const auto data = bytes.substr(0, size);
    bytes.remove_prefix(size);
    EXPECT_EQ(take_fixed(bytes, 4), masked_crc32c(data));
    ReadEvent e;
    e.when = field(data, 1).number64();
    for (const auto& f : fields(data, 2)) e.step = std::int64_t(f.integer);
    for (const auto& f : fields(data, 3)) e.version = f.bytes;
    for (const auto& summary : fields(data, 5)) {
      const auto value = field(summary.bytes, 1).bytes;
      e.tag = field(value, 1).bytes;
      for (const auto& f : fields(value, 2)) e.scalar = f.single();
      for (const auto& f : fields(value, 4)) e.image = field(f.bytes, 4).bytes;
      for (const auto& f : fields(value, 8)) e.text = field(f.bytes, 8).bytes;
      for (const auto& f : fields(value, 9)) {
        const auto plugin = field(f.bytes, 1).bytes;
        e.plugin = field(plugin, 1).bytes, e.content = field(plugin, 2).bytes;
      }
    }
    out.push_back(std::move(e));
  }
  return out;
}

class TensorBoard : public testing::Test {
 protected:
  TensorBoard() {
    record_.config =
        "experiment: lstm\nseed: 7\ntraining: {epochs: 3, optimizer: {adam: {learning_rate: 0.001}}}\n"
        "features: {kind: mfcc, standardise: true}\n";
    board_.settings = {"seed", "features.kind", "features.standardise", "training.optimizer"};
    board_.texts = {{"report/findings", "- something"}};
    board_.ended = 1000;
  }
  results::RunRecord record_ = results::example_record();
  Board board_{.record = record_};
};

TEST_F(TensorBoard, HasTheScalarsOfEveryEpoch) {
  const auto bytes = event_file(board_);
  EXPECT_EQ(bytes, event_file(board_));
  const auto events = read_events(bytes);
  EXPECT_EQ(events.at(0).version, "brain.Event:2");
  std::map<std::pair<std::string, std::int64_t>, std::pair<double, float>> scalars;
  for (const auto& e : events)
    if (e.plugin.empty() && !e.tag.empty()) scalars[{e.tag, e.step}] = {e.when, e.scalar};
  for (int epoch = 1; epoch <= 3; ++epoch) {
    EXPECT_EQ(scalars.at({"epoch/loss", epoch}).second, float(record_.history.loss[std::size_t(epoch - 1)]));
    EXPECT_EQ(scalars.at({"epoch/val_accuracy", epoch}).second,
              float(record_.history.val_accuracy[std::size_t(epoch - 1)]));
  }
  // The clock counts back from the end: epochs of 4, 4 and 4.5 s.
  EXPECT_EQ(scalars.at({"epoch/loss", 1}).first, 1000 - 8.5);
  EXPECT_EQ(scalars.at({"epoch/loss", 3}).first, 1000);
  EXPECT_EQ(scalars.at({"test/clip_accuracy", 2}).second, float(record_.test->clips.accuracy));
}

TEST_F(TensorBoard, HasHyperparametersWithTheirTypes) {
  std::map<std::string, std::string> contents;
  for (const auto& e : read_events(event_file(board_)))
    if (e.plugin == "hparams") contents[e.tag] = e.content;
  ASSERT_EQ(contents.size(), 3u);
  const auto start = field(contents.at("_hparams_/session_start_info"), 3).bytes;
  std::map<std::string, std::string> values;
  for (const auto& f : fields(start, 1))
    values[std::string(field(f.bytes, 1).bytes)] = field(f.bytes, 2).bytes;
  EXPECT_EQ(field(values.at("seed"), 2).number64(), 7.0);
  EXPECT_EQ(field(values.at("features.kind"), 3).bytes, "mfcc");
  EXPECT_EQ(field(values.at("features.standardise"), 4).integer, 1u);
  EXPECT_EQ(field(values.at("training.optimizer"), 3).bytes, "{adam: {learning_rate: 0.001}}");
  const auto experiment = field(contents.at("_hparams_/experiment"), 2).bytes;
  EXPECT_EQ(fields(experiment, 4).size(), 4u);
  EXPECT_EQ(fields(experiment, 5).size(), 8u);  // four metrics of two parts
  EXPECT_EQ(field(field(contents.at("_hparams_/session_end_info"), 4).bytes, 1).integer, 1u);
}

TEST_F(TensorBoard, HasPicturesAndTexts) {
  std::set<std::string> pictures, texts;
  for (const auto& e : read_events(event_file(board_))) {
    if (!e.image.empty()) {
      pictures.insert(e.tag);
      EXPECT_EQ(e.image.substr(0, 4), "\x89PNG");
    }
    if (e.plugin == "text") texts.insert(e.tag + "=" + e.text);
  }
  EXPECT_EQ(pictures, (std::set<std::string>{"confusion/test", "confusion/validation"}));
  EXPECT_EQ(texts, (std::set<std::string>{"report/findings=- something"}));
}

TEST_F(TensorBoard, ShowsNothingOfATestPartThatWasNotChosen) {
  board_.with_test = false;
  for (const auto& e : read_events(event_file(board_))) {
    EXPECT_EQ(e.tag.find("test"), std::string::npos) << e.tag;
    EXPECT_EQ(e.content.find("test"), std::string::npos) << e.tag;
  }
}

TEST_F(TensorBoard, IsReadByTensorBoard) {
  const char* python = std::getenv("TIMBRE_PYTHON");
  if (!python) GTEST_SKIP() << "TIMBRE_PYTHON names no Python with tensorboard";
  const TemporaryFolder folder;
  write_bytes(folder / event_file_name, event_file(board_));
  const auto command = fmt::format("{} {}/tests/exchange/check_tensorboard.py {} > {} 2>&1", python,
                                   TIMBRE_SOURCE_DIR, folder.path().string(), (folder / "log").string());
  EXPECT_EQ(std::system(command.c_str()), 0) << bytes_of(folder / "log");
}

}  // namespace
}  // namespace timbre::exchange
