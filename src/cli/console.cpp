#include "cli/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "core/text.hpp"

namespace timbre::cli {

namespace {

constexpr auto refresh = std::chrono::milliseconds(100);

struct TerminalSize {
  std::size_t columns = 80, rows = 24;
};
TerminalSize terminal_size() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col <= 20 || size.ws_row < 3) return {};
  return {size.ws_col, size.ws_row};
}

// Cuts UTF-8 text to a number of columns (each character of ours takes one).
std::string clip_columns(std::string_view text, std::size_t columns) {
  std::size_t used = 0, i = 0;
  for (; i < text.size(); ++i)
    if ((text[i] & 0xC0) != 0x80 && ++used > columns) break;
  return std::string(text.substr(0, i));
}

// On narrow terminals the bar gives way to the figures.
int bar_width() { return terminal_size().columns >= 120 ? 20 : 8; }

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

bool Console::is_time() {
  const auto now = std::chrono::steady_clock::now();
  if (now - shown_ < refresh) return false;
  shown_ = now;
  return true;
}

void Console::line(std::string_view message) {
  const auto text = printable(message);  // labels and paths of strangers may be in it
  std::fprintf(stderr, "%s%.*s\n", back_over(open_lines_).c_str(), int(text.size()), text.data());
  open_lines_ = 0;
}

void Console::block(const std::vector<std::string>& lines) {
  if (!terminal_ || lines.empty()) return;
  const auto size = terminal_size();
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

void Console::batch(const training::Progress& p) {
  if (!terminal_ || !is_time()) return;
  if (titled_ != p.epoch) {
    line(fmt::format("Epoch {}/{}", p.epoch, p.epochs));
    titled_ = p.epoch;
  }
  const double step = p.seconds / double(p.batch), left = step * double(p.batches - p.batch);
  block(
      {fmt::format("{:>{}}/{} {} {} {} - accuracy: {:.4f} - loss: {:.4f}", p.batch,
                   std::to_string(p.batches).size(), p.batches, progress_bar(p.batch, p.batches, bar_width()),
                   duration_text(left), per_step(step), p.metrics->accuracy(), p.metrics->loss())});
}

void Console::epoch(const run::EpochDone& done) {
  if (!terminal_) return line(run::epoch_text(done));
  if (titled_ != done.epoch) line(fmt::format("Epoch {}/{}", done.epoch, done.epochs));
  titled_ = done.epoch;
  const double seconds = done.history.seconds.back();
  line(fmt::format("{}/{} {} {} {} - {}", done.batches, done.batches,
                   progress_bar(done.batches, done.batches, bar_width()), duration_text(seconds),
                   per_step(seconds / double(done.batches)), run::metrics_text(done.history)));
}

}  // namespace timbre::cli
