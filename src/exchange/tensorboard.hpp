// A run as TensorBoard shows it: one event file, made of the run's record.
//
//   scalars   epoch/{loss, accuracy, val_loss, val_accuracy, learning_rate, seconds, ...} at each epoch, as the history has them;
//             validation/ and test/{clip_accuracy, segment_accuracy, loss, macro_f1} at the kept epoch
//   hparams   the settings asked for, and those metrics
//   images    confusion/validation, confusion/test: clips, rows true, each row divided by its sum
//   text      what the caller says of the run
//
// A file is a sequence of records: length (u64), masked CRC-32C of those 8 bytes (u32), bytes, masked CRC-32C of the bytes; all
// little-endian. The bytes are an Event of protocol buffers.
// Errors: Error where a picture cannot be encoded.
// Source: tensorboard/compat/proto/{event,summary}.proto, tensorboard/plugins/hparams/{api,plugin_data}.proto;
// TensorFlow's record_writer.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "results/run_record.hpp"

namespace timbre::exchange {

struct Board {
  const results::RunRecord& record;
  std::vector<std::string> settings;  // paths in the configuration, shown as hyperparameters
  std::vector<std::pair<std::string, std::string>> texts;  // a tag, and Markdown
  bool with_test = true;                                   // false: nothing of the test part is shown
  double ended = 0;                                        // when the run ended, in seconds since 1970
};

/// The name of the file in a folder that TensorBoard is to find.
inline constexpr const char* event_file_name = "events.out.tfevents.timbre";

std::string event_file(const Board& board);
/// Texts alone, as those about a whole study.
std::string event_file(const std::vector<std::pair<std::string, std::string>>& texts, double when);

/// Settings that are of interest in any run: seed, optimizer, epochs, penalties, kind of features.
std::vector<std::string> usual_settings();

/// CRC-32C (Castagnoli) of some bytes, and as records carry it.
std::uint32_t crc32c(std::string_view bytes);
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace timbre::exchange
