#include "experiment/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/atomic_file.hpp"

namespace timbre::experiment {

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

Console::Console(const std::filesystem::path& log, bool quiet)
    : terminal_(!quiet && isatty(STDERR_FILENO)), quiet_(quiet) {
  if (log.empty()) return;
  const int descriptor = storage::open_to_append(log);
  log_ = ::fdopen(descriptor, "a");
  if (!log_) ::close(descriptor), fail("{}: cannot be written", printable(log.string()));
}

Console::~Console() {
  if (open_lines_ > 0) std::fputs("\n", stderr);
  if (log_) std::fclose(log_);
}

void Console::log_line(std::string_view text) {
  if (!log_) return;
  std::fprintf(log_, "%.*s\n", int(text.size()), text.data());
  std::fflush(log_);
}

void Console::line(std::string_view message) {
  const auto text = printable(message);  // labels and paths of strangers may be in it
  log_line(text);
  if (quiet_) return;
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

void CountProgress::operator()(std::int64_t done, std::int64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (done < total && now - shown_ < refresh) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double left = done > 0 ? seconds / double(done) * double(total - done) : 0;
  console_.transient(fmt::format("{}: {}/{} {} {}", what_, done, total, progress_bar(done, total, 24),
                                 done > 0 && left > 1 ? duration_text(left) + " left" : ""));
}

void TrainingProgress::on_batch(const training::Progress& p) {
  if (!console_.terminal()) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - shown_ < refresh) return;
  shown_ = now;
  if (titled_ != p.epoch) {
    console_.line(fmt::format("Epoch {}/{}", p.epoch, p.epochs));
    titled_ = p.epoch;
  }
  const double step = p.seconds / double(p.batch), left = step * double(p.batches - p.batch);
  console_.transient(fmt::format("{:>{}}/{} {} {} {} - accuracy: {:.4f} - loss: {:.4f}", p.batch,
                                 std::to_string(p.batches).size(), p.batches,
                                 progress_bar(p.batch, p.batches, bar_width()), duration_text(left),
                                 per_step(step), p.metrics->accuracy(), p.metrics->loss()));
}

void TrainingProgress::on_epoch(std::int64_t epoch, std::int64_t epochs, std::int64_t batches,
                                const training::History& h) {
  const double seconds = h.seconds.back();
  const auto metrics =
      fmt::format("accuracy: {:.4f} - loss: {:.4f} - val_accuracy: {:.4f} - val_loss: {:.4f}",
                  h.accuracy.back(), h.loss.back(), h.val_accuracy.back(), h.val_loss.back());
  if (console_.terminal()) {
    if (titled_ != epoch) console_.line(fmt::format("Epoch {}/{}", epoch, epochs));
    titled_ = epoch;
    console_.line(fmt::format("{}/{} {} {} {} - {}", batches, batches,
                              progress_bar(batches, batches, bar_width()), duration_text(seconds),
                              per_step(seconds / double(batches)), metrics));
  } else {
    console_.line(fmt::format("epoch {}/{} - {} - {}", epoch, epochs, duration_text(seconds), metrics));
  }
}

}  // namespace timbre::experiment
