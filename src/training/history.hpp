// The figures of each epoch of a run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <vector>

namespace timbre::training {

/// One value per epoch, epochs counted from 1. learning_rate: that of the epoch's last step. Some columns are only there where
/// a run asks for them: gradient_norm (mean over the epoch's steps of the norm of all gradients, penalties included, before
/// clipping) with training.gradient_clipping; the two others where early stopping watches them.
struct History {
  std::vector<double> loss, accuracy, val_loss, val_accuracy, learning_rate, seconds;
  std::vector<double> gradient_norm, val_clip_accuracy, val_macro_f1;  // may be empty
  std::size_t epochs() const { return loss.size(); }
};

/// Its columns by name, as files keep them: one list for all who write, read or check a history.
struct HistoryColumn {
  const char* name;
  std::vector<double> History::*values;
  bool optional = false;  // whether it may be empty
  bool is_in(const History& h) const { return !optional || !(h.*values).empty(); }
};
inline constexpr HistoryColumn history_columns[] = {{"loss", &History::loss},
                                                    {"accuracy", &History::accuracy},
                                                    {"val_loss", &History::val_loss},
                                                    {"val_accuracy", &History::val_accuracy},
                                                    {"learning_rate", &History::learning_rate},
                                                    {"seconds", &History::seconds},
                                                    {"gradient_norm", &History::gradient_norm, true},
                                                    {"val_clip_accuracy", &History::val_clip_accuracy, true},
                                                    {"val_macro_f1", &History::val_macro_f1, true}};

/// The column of a monitored value, by its name, which is one of them.
inline const HistoryColumn& monitored_column(std::string_view name) {
  return *std::find_if(std::begin(history_columns), std::end(history_columns) - 1,
                       [&](const HistoryColumn& c) { return c.name == name; });
}
inline const std::vector<double>& monitored(const History& h, std::string_view name) {
  return h.*monitored_column(name).values;
}
/// Whether more of it is better.
inline bool higher_is_better(std::string_view monitored) { return !monitored.ends_with("loss"); }

}  // namespace timbre::training
