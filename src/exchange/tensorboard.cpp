#include "exchange/tensorboard.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "config/node.hpp"
#include "config/settings.hpp"
#include "core/text.hpp"
#include "evaluation/metrics.hpp"
#include "exchange/protobuf.hpp"
#include "plot/png.hpp"
#include "plot/raster.hpp"

namespace timbre::exchange {

namespace {

constexpr std::int64_t string_type = 7;  // DT_STRING

/// The numbers of a row, with 4 bytes or 8, little-endian.
void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += char((value >> (8 * i)) & 0xff);
}

class Events {
 public:
  void add(double when, std::int64_t step, int field, const ProtoMessage& what) {
    ProtoMessage event;
    event.number(1, when);
    if (step > 0) event.integer(2, step);
    event.message(field, what);
    record(event.bytes());
  }
  void version(double when) { record(ProtoMessage().number(1, when).text(3, "brain.Event:2").bytes()); }
  /// One value of a summary.
  void value(double when, std::int64_t step, const ProtoMessage& value) {
    add(when, step, 5, ProtoMessage().message(1, value));
  }
  void scalar(double when, std::int64_t step, const std::string& tag, double number) {
    if (std::isfinite(number)) value(when, step, ProtoMessage().text(1, tag).single(2, float(number)));
  }
  std::string take() { return std::move(bytes_); }

 private:
  void record(const std::string& data) {
    std::string length;
    put(length, data.size(), 8);
    bytes_ += length;
    put(bytes_, masked_crc32c(length), 4);
    bytes_ += data;
    put(bytes_, masked_crc32c(data), 4);
  }
  std::string bytes_;
};

/// SummaryMetadata: which plug-in shows the value, with that plug-in's own data.
ProtoMessage metadata(std::string_view plugin, const ProtoMessage& content = {}) {
  return ProtoMessage().message(1, ProtoMessage().text(1, plugin).message(2, content));
}

ProtoMessage text_value(const std::string& tag, const std::string& text) {
  ProtoMessage tensor;  // of one string
  tensor.integer(1, string_type)
      .message(2, ProtoMessage().message(2, ProtoMessage().integer(1, 1)))
      .text(8, text);
  return ProtoMessage().text(1, tag).message(8, tensor).message(9, metadata("text"));
}

/// A google.protobuf.Value of a setting; the type that HParams calls it by.
struct Setting {
  ProtoMessage value;
  int type;  // 1 text, 2 boolean, 3 number
};
Setting setting_of(const config::Node* node) {
  if (node && node->is_scalar() && !node->quoted) {
    const auto& text = node->scalar;
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && std::isfinite(number))
      return {ProtoMessage().number(2, number), 3};
    if (text == "true" || text == "false") return {ProtoMessage().integer(4, text == "true"), 2};
  }
  return {ProtoMessage().text(3, printable(node && node->is_scalar() ? node->scalar : config::flow(node))),
          1};
}

ProtoMessage map_entry(const std::string& key, const ProtoMessage& value) {
  return ProtoMessage().text(1, key).message(2, value);
}

/// The values of a part of the split that a table of runs shows.
struct Metric {
  const char* name;
  double (*value)(const results::Evaluation&);
};
constexpr Metric metrics[] = {
    {"clip_accuracy", [](const results::Evaluation& e) { return e.clips.accuracy; }},
    {"segment_accuracy", [](const results::Evaluation& e) { return e.accuracy; }},
    {"loss", [](const results::Evaluation& e) { return e.loss; }},
    {"macro_f1", [](const results::Evaluation& e) { return e.macro_f1; }}};

void add_settings(Events& events, const Board& board, double began) {
  const auto& r = board.record;
  const auto root = config::parse_text(r.config, "the configuration", ".");
  ProtoMessage experiment, start;
  experiment.text(1, "runs of Timbre");
  for (const auto& path : board.settings) {
    const auto [value, type] = setting_of(config::at(root, path));
    start.message(1, map_entry(path, value));
    experiment.message(4, ProtoMessage().text(1, path).integer(4, type));
  }
  const auto parts = board.with_test ? std::vector<std::string>{"validation", "test"}
                                     : std::vector<std::string>{"validation"};
  for (const auto& part : parts)
    for (const auto& m : metrics)
      experiment.message(5, ProtoMessage().message(1, ProtoMessage().text(2, part + "/" + m.name)));
  // Values of the plug-in have no tensor: their data lie in the metadata. (version 0 is the default)
  const auto add = [&](const std::string& tag, int field, const ProtoMessage& what, double when) {
    const auto content = ProtoMessage().message(field, what);
    events.value(when, 0, ProtoMessage().text(1, tag).message(9, metadata("hparams", content)));
  };
  start.text(4, r.key).number(5, began);
  add("_hparams_/experiment", 2, experiment, began);
  add("_hparams_/session_start_info", 3, start, began);
  const bool good = r.status == "finished";
  add("_hparams_/session_end_info", 4, ProtoMessage().integer(1, good ? 1 : 2).number(2, board.ended),
      board.ended);
}

/// Rows true, columns what they were taken for; empty where there are too many classes for a picture.
std::string confusion_png(const results::Evaluation& e) {
  const auto classes = int(e.classes());
  constexpr int most = 1024, side = 640, levels = 256;
  if (classes < 1 || classes > most) return "";
  const auto counts = evaluation::confusion_matrix(e.clips.label, e.clips.prediction, classes);
  const int cell = std::max(side / classes, 1), size = cell * classes;
  std::vector<float> shares(std::size_t(size) * std::size_t(size));
  for (int y = 0; y < size; ++y) {
    const auto row = counts.begin() + y / cell * classes;
    const auto sum = std::accumulate(row, row + classes, 0.0);
    for (int x = 0; x < size; ++x)
      shares[std::size_t(y) * std::size_t(size) + std::size_t(x)] =
          sum > 0 ? float(row[x / cell] / sum) : 0.0f;
  }
  return plot::encode_png(plot::quantise(shares, {0, 1}, levels), size, size,
                          plot::palette(plot::ColourMap::viridis, levels));
}

void add_evaluation(Events& events, const Board& board, const std::string& part,
                    const results::Evaluation& e) {
  const auto step = board.record.weights_epoch;
  for (const auto& m : metrics) events.scalar(board.ended, step, part + "/" + m.name, m.value(e));
  const auto png = confusion_png(e);
  if (png.empty()) return;
  const auto said = "Clips. From the top, the true genre; from the left, what it was taken for: " +
                    printable(join(board.record.label_names));
  const auto size = std::max<std::int64_t>(640 / e.classes(), 1) * e.classes();
  ProtoMessage image;
  image.integer(1, size).integer(2, size).integer(3, 3).text(4, png);
  events.value(board.ended, step,
               ProtoMessage()
                   .text(1, "confusion/" + part)
                   .message(4, image)
                   .message(9, metadata("images").text(3, said)));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> out{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t v = i;
      for (int bit = 0; bit < 8; ++bit) v = v & 1 ? v >> 1 ^ 0x82f63b78u : v >> 1;
      out[i] = v;
    }
    return out;
  }();
  std::uint32_t crc = ~0u;
  for (const char c : bytes) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ crc >> 8;
  return ~crc;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  const auto crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

std::vector<std::string> usual_settings() {
  return {"experiment",
          "seed",
          "features.kind",
          "features.standardise",
          "split.group_by",
          "training.epochs",
          "training.batch_size",
          "training.optimizer",
          "regularisation.l1",
          "regularisation.l2",
          "regularisation.dropout"};
}

std::string event_file(const Board& board) {
  const auto& r = board.record;
  const auto& h = r.history;
  const auto epochs = h.epoch.size();
  double when = board.ended - std::accumulate(h.seconds.begin(), h.seconds.end(), 0.0);
  const double began = when;
  Events events;
  events.version(began);
  add_settings(events, board, began);
  for (std::size_t e = 0; e < epochs; ++e) {
    when += h.seconds[e];
    for (const auto& c : training::history_columns)
      if (c.is_in(h)) events.scalar(when, h.epoch[e], std::string("epoch/") + c.name, (h.*c.values)[e]);
  }
  if (r.validation) add_evaluation(events, board, "validation", *r.validation);
  if (r.test && board.with_test) add_evaluation(events, board, "test", *r.test);
  for (const auto& [tag, text] : board.texts)
    events.value(board.ended, 0, text_value(tag, printable_lines(text)));
  return events.take();
}

std::string event_file(const std::vector<std::pair<std::string, std::string>>& texts, double when) {
  Events events;
  events.version(when);
  for (const auto& [tag, text] : texts) events.value(when, 0, text_value(tag, printable_lines(text)));
  return events.take();
}

}  // namespace timbre::exchange
