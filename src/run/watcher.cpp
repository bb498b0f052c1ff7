#include "run/watcher.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"

namespace timbre::run {

void Counter::operator()(std::int64_t done, std::int64_t total) const {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
  watcher_.count(what_, done, total, seconds.count());
}

void show(Watcher& watcher, std::string_view block) {
  while (!block.empty()) {
    const auto end = std::min(block.find('\n'), block.size());
    watcher.line(block.substr(0, end));
    block.remove_prefix(std::min(end + 1, block.size()));
  }
}

std::string metrics_text(const training::History& h) {
  return fmt::format("accuracy: {:.4f} - loss: {:.4f} - val_accuracy: {:.4f} - val_loss: {:.4f}",
                     h.accuracy.back(), h.loss.back(), h.val_accuracy.back(), h.val_loss.back());
}

std::string epoch_text(const EpochDone& done) {
  return fmt::format("epoch {}/{} - {} - {}", done.epoch, done.epochs,
                     duration_text(done.history.seconds.back()), metrics_text(done.history));
}

}  // namespace timbre::run
