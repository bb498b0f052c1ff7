#include "experiment/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::experiment {

namespace {

constexpr auto refresh = std::chrono::milliseconds(100);

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

// Cuts UTF-8 text to a number of columns (each character of ours takes one).
std::string clip_columns(std::string_view text, std::size_t columns) {
  std::size_t used = 0, i = 0;
  for (; i < text.size(); ++i)
    if ((text[i] & 0xC0) != 0x80 && ++used > columns) break;
  return std::string(text.substr(0, i));
}

std::string bar(std::int64_t done, std::int64_t total, int width) {
  const auto filled = int(done * width / std::max<std::int64_t>(total, 1));
  std::string out;
  for (int i = 0; i < width; ++i) out += i < filled ? "━" : i == filled ? "╸" : "─";
  return out;
}

// On narrow terminals the bar gives way to the figures.
int bar_width() { return terminal_width() >= 120 ? 20 : 8; }

std::string per_step(double seconds) {
  return seconds >= 1 ? fmt::format("{:.1f}s/step", seconds)
         : seconds >= 1e-3 ? fmt::format("{:.0f}ms/step", seconds * 1e3)
                           : fmt::format("{:.0f}us/step", seconds * 1e6);
}

}  // namespace

Console::Console(const std::filesystem::path& log, bool quiet) : terminal_(!quiet && isatty(STDERR_FILENO)), quiet_(quiet) {
  if (!log.empty() && !(log_ = std::fopen(log.c_str(), "a"))) fail("{}: cannot be written", log.string());
}

Console::~Console() {
  if (open_line_) std::fputs("\n", stderr);
  if (log_) std::fclose(log_);
}

void Console::log_line(std::string_view text) {
  if (!log_) return;
  std::fprintf(log_, "%.*s\n", int(text.size()), text.data());
  std::fflush(log_);
}

void Console::line(std::string_view text) {
  log_line(text);
  if (quiet_) return;
  std::fprintf(stderr, "%s%.*s\n", open_line_ ? "\r\x1b[K" : "", int(text.size()), text.data());
  open_line_ = false;
}

void Console::transient(std::string_view text) {
  if (!terminal_) return;
  std::fprintf(stderr, "\r%s\x1b[K", clip_columns(text, terminal_width() - 1).c_str());
  std::fflush(stderr);
  open_line_ = true;
}

void CountProgress::operator()(std::int64_t done, std::int64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (done < total && now - shown_ < refresh) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double left = done > 0 ? seconds / double(done) * double(total - done) : 0;
  console_.transient(fmt::format("{}: {}/{} {} {}", what_, done, total, bar(done, total, 24),
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
                                 std::to_string(p.batches).size(), p.batches, bar(p.batch, p.batches, bar_width()),
                                 duration_text(left), per_step(step), p.metrics->accuracy(), p.metrics->loss()));
}

void TrainingProgress::on_epoch(std::int64_t epoch, std::int64_t epochs, std::int64_t batches, const training::History& h) {
  const double seconds = h.seconds.back();
  const auto metrics = fmt::format("accuracy: {:.4f} - loss: {:.4f} - val_accuracy: {:.4f} - val_loss: {:.4f}",
                                   h.accuracy.back(), h.loss.back(), h.val_accuracy.back(), h.val_loss.back());
  if (console_.terminal()) {
    if (titled_ != epoch) console_.line(fmt::format("Epoch {}/{}", epoch, epochs));
    titled_ = epoch;
    console_.line(fmt::format("{}/{} {} {} {} - {}", batches, batches, bar(batches, batches, bar_width()), duration_text(seconds),
                              per_step(seconds / double(batches)), metrics));
  } else {
    console_.line(fmt::format("epoch {}/{} - {} - {}", epoch, epochs, duration_text(seconds), metrics));
  }
}

}  // namespace timbre::experiment
