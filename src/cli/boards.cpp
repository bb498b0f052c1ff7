#include "cli/boards.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "core/text.hpp"
#include "exchange/model_card.hpp"
#include "exchange/tensorboard.hpp"
#include "report/findings.hpp"
#include "report/selection.hpp"
#include "report/sentences.hpp"
#include "results/describe.hpp"
#include "storage/atomic_file.hpp"

namespace timbre::cli {

namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::pair<std::string, std::string>>;

double seconds_since_1970(const fs::path& file) {
  const auto when = std::chrono::file_clock::to_sys(fs::last_write_time(file));
  return std::chrono::duration<double>(when.time_since_epoch()).count();
}

/// What the report says.
Texts sentences(const report::Analysis& a, const report::Options& options) {
  Texts out;
  const auto add = [&](const char* tag, const std::string& text) {
    if (!text.empty()) out.emplace_back(tag, text);
  };
  add("report/compared", report::comparison_sentence(a, options));
  add("report/selection", report::selection_sentence(a));
  add("report/test", report::test_caption(a));
  add("report/intervals", report::interval_sentence(a));
  add("report/parting", report::parting_sentence(a));
  std::string found;
  for (const auto& finding : report::findings(a)) found += "- " + finding + "\n";
  add("report/findings", found);
  return out;
}

void write_board(const fs::path& file, const std::string& bytes) {
  storage::write_file(file / exchange::event_file_name, bytes, storage::Links::replace);
}

exchange::Board board_of(const results::RunRecord& record, const fs::path& result,
                         std::vector<std::string> settings) {
  return {.record = record, .settings = std::move(settings), .ended = seconds_since_1970(result)};
}

}  // namespace

fs::path write_run_board(const fs::path& result) {
  const auto record = results::read_result(result, false, storage::own_file);
  auto board = board_of(record, result, exchange::usual_settings());
  const report::Options options{.own_folder = true};
  board.texts = sentences(report::analyse({result}, options), options);
  board.texts.emplace_back("model_card", exchange::model_card(record));
  board.texts.emplace_back("configuration", "```yaml\n" + record.config + "```\n");
  const auto folder = result.parent_path() / "tensorboard";
  write_board(folder, exchange::event_file(board));
  return folder;
}

fs::path write_study_boards(const std::vector<fs::path>& results, const fs::path& folder,
                            const report::Options& options) {
  const auto out = folder / "tensorboard";
  const auto analysis = report::analyse(results, options);
  std::set<fs::path> chosen;
  for (const auto& run : report::chosen_runs(analysis)) chosen.insert(run.file);
  auto settings = options.axes;
  if (settings.empty()) settings = exchange::usual_settings();
  for (const auto* key : {"experiment", "seed"})
    if (std::find(settings.begin(), settings.end(), key) == settings.end()) settings.emplace_back(key);
  const auto read = results::result_reader(false, storage::own_file);
  double last = 0;
  for (const auto& result : results) {
    results::RunRecord record;
    try {
      record = read(result);
    } catch (const storage::Damaged&) {
      continue;  // the report names it
    }
    auto board = board_of(record, result, settings);
    board.with_test = chosen.contains(result);
    last = std::max(last, board.ended);
    write_board(out / result.parent_path().filename(), exchange::event_file(board));
  }
  write_board(out / "study", exchange::event_file(sentences(analysis, options), last));
  return out;
}

}  // namespace timbre::cli
