// The figures of each epoch of a run.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace timbre::training {

/// One value per epoch, epochs counted from 1. learning_rate: that of the epoch's last step.
struct History {
  std::vector<double> loss, accuracy, val_loss, val_accuracy, learning_rate, seconds;
  std::size_t epochs() const { return loss.size(); }
};

/// Its columns by name, as files keep them: one list for all who write, read or check a history.
struct HistoryColumn {
  const char* name;
  std::vector<double> History::*values;
};
inline constexpr HistoryColumn history_columns[] = {{"loss", &History::loss},
                                                    {"accuracy", &History::accuracy},
                                                    {"val_loss", &History::val_loss},
                                                    {"val_accuracy", &History::val_accuracy},
                                                    {"learning_rate", &History::learning_rate},
                                                    {"seconds", &History::seconds}};

/// The column of a monitored value: loss, accuracy, val_loss or val_accuracy.
inline const std::vector<double>& monitored(const History& h, const std::string& name) {
  return name == "val_loss"       ? h.val_loss
         : name == "val_accuracy" ? h.val_accuracy
         : name == "loss"         ? h.loss
                                  : h.accuracy;
}

}  // namespace timbre::training
