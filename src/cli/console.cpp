#include "cli/console.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/terminal.hpp"
#include "core/text.hpp"

namespace timbre::cli {

namespace {

constexpr auto refresh = std::chrono::milliseconds(100);

// On narrow terminals the bar gives way to the figures.
int bar_width() { return terminal_size(STDERR_FILENO).columns >= 120 ? 20 : 8; }

Piece metric(std::string_view name, double value, int rank) {
  return {fmt::format("{}: {:.4f}", name, value), rank, " - "};
}

// To the beginning of what is being shown, clearing it.
std::string back_over(std::size_t lines) {
  if (lines == 0) return "";
  return lines == 1 ? "\r\x1b[K" : fmt::format("\r\x1b[{}A\x1b[J", lines - 1);
}

std::string per_step(double seconds) {
  return seconds >= 1      ? fmt::format("{:.1f}s/step", seconds)
         : seconds >= 1e-3 ? fmt::format("{:.0f}ms/step", seconds * 1e3)
                           : fmt::format("{:.0f}us/step", seconds * 1e6);
}

}  // namespace

std::string progress_bar(std::int64_t done, std::int64_t total, int width) {
  const auto filled = int(done * width / std::max<std::int64_t>(total, 1));
  std::string out;
  for (int i = 0; i < width; ++i) out += i < filled ? "━" : i == filled ? "╸" : "─";
  return out;
}

Console::Console() : terminal_(isatty(STDERR_FILENO)) {}

Console::~Console() {
  if (open_lines_ > 0) std::fputs("\n", stderr);
}

std::size_t Console::columns() { return terminal_size(STDERR_FILENO).columns - 1; }

bool Console::is_time() {
  const auto now = std::chrono::steady_clock::now();
  if (now - shown_ < refresh) return false;
  shown_ = now;
  return true;
}

void Console::line(std::string_view message) {
  auto text = printable(message);  // labels and paths of strangers may be in it
  if (terminal_) text = broken_at_spaces(text, columns());
  std::fprintf(stderr, "%s%.*s\n", back_over(open_lines_).c_str(), int(text.size()), text.data());
  open_lines_ = 0;
}

void Console::block(const std::vector<std::string>& lines) {
  if (!terminal_ || lines.empty()) return;
  const auto size = terminal_size(STDERR_FILENO);
  const auto count = std::min(lines.size(), size.rows - 1);  // one that scrolled away could not be drawn over
  auto text = back_over(open_lines_);
  for (std::size_t i = 0; i < count; ++i)
    text += (i > 0 ? "\n" : "") + clip_columns(lines[i], size.columns - 1);
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  open_lines_ = count;
}

void Console::count(std::string_view what, std::int64_t done, std::int64_t total, double seconds) {
  if (!is_time() && done < total) return;
  const double left = done > 0 ? seconds / double(done) * double(total - done) : 0;
  block({fmt::format("{}: {}/{} {} {}", what, done, total, progress_bar(done, total, 24),
                     done > 0 && left > 1 ? duration_text(left) + " left" : "")});
}

void Console::title(std::int64_t epoch, std::int64_t epochs) {
  if (titled_ != epoch) line(fmt::format("Epoch {}/{}", epoch, epochs));
  titled_ = epoch;
}

void Console::batch(const training::Progress& p) {
  if (!terminal_ || !is_time()) return;
  title(p.epoch, p.epochs);
  const double step = p.seconds / double(p.batch), left = step * double(p.batches - p.batch);
  block({fitted({{fmt::format("{:>{}}/{}", p.batch, std::to_string(p.batches).size(), p.batches)},
                 {progress_bar(p.batch, p.batches, bar_width()), 3},
                 {duration_text(left), 2},
                 {per_step(step), 4},
                 metric("accuracy", p.metrics->accuracy(), 0),
                 metric("loss", p.metrics->loss(), 1)},
                columns())});
}

void Console::epoch(const run::EpochDone& done) {
  if (!terminal_) return line(run::epoch_text(done));
  title(done.epoch, done.epochs);
  const auto& h = done.history;
  const double seconds = h.seconds.back();
  line(fitted({{fmt::format("{}/{}", done.batches, done.batches), 4},
               {progress_bar(done.batches, done.batches, bar_width()), 5},
               {duration_text(seconds), 3},
               {per_step(seconds / double(done.batches)), 6},
               metric("accuracy", h.accuracy.back(), 1),
               metric("loss", h.loss.back(), 2),
               metric("val_accuracy", h.val_accuracy.back(), 0),
               metric("val_loss", h.val_loss.back(), 0)},
              columns()));
}

}  // namespace timbre::cli
