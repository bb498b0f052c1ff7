// The watcher of a run: an interface. cli/console.hpp implements it for terminals.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "training/trainer.hpp"

namespace timbre::run {

/// An epoch that has been trained and validated; epochs count from 1.
struct EpochDone {
  std::int64_t epoch, epochs, batches;
  const training::History& history;
};

/// Gets the lines and the progress of a run. This one shows nothing.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void line(std::string_view) {}
  /// Of work before training: `what` it is, how much is done, and the seconds since it began.
  virtual void count(std::string_view /*what*/, std::int64_t /*done*/, std::int64_t /*total*/,
                     double /*seconds*/) {}
  virtual void batch(const training::Progress&) {}
  virtual void epoch(const EpochDone&) {}
};

/// Counts one piece of work before a watcher.
class Counter {
 public:
  Counter(Watcher& watcher, std::string what) : watcher_(watcher), what_(std::move(what)) {}
  void operator()(std::int64_t done, std::int64_t total) const;

 private:
  Watcher& watcher_;
  std::string what_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Each line of a text block.
void show(Watcher& watcher, std::string_view block);

/// "accuracy: 0.5810 - loss: 1.2019 - val_accuracy: 0.5500 - val_loss: 1.3020", of the last epoch.
std::string metrics_text(const training::History& history);
/// "epoch 3/150 - 1 s - accuracy: ..."
std::string epoch_text(const EpochDone& done);

}  // namespace timbre::run
