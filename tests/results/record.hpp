// A small record with something in every place.
#pragma once

#include "core/error.hpp"
#include "results/run_record.hpp"
#include "storage/hdf5.hpp"
#include "storage/temporary_folder.hpp"

namespace timbre::results {

inline RunRecord example_record() {
  RunRecord r;
  r.experiment = "lstm";
  r.key = "0123456789abcdef";
  r.seed = 7;
  r.version = "0.1.0";
  r.best_epoch = 2, r.weights_epoch = 2, r.epochs_run = 3;
  r.stopped_early = true;
  r.parameters = 214954, r.trainable_parameters = 214954;
  r.train_seconds = 12.5, r.predict_seconds = 0.25;
  r.config = "experiment: lstm\nseed: 7\n";
  r.environment = {{"cpu", "A CPU"}, {"threads", "2"}};
  r.label_names = {"blues", "jazz", "rock"};
  r.feature_mean = {1, 2}, r.feature_std = {0.5f, 4};
  r.history.epoch = {1, 2, 3};
  r.history.loss = {2, 1, 0.5}, r.history.accuracy = {0.2, 0.4, 0.8};
  r.history.val_loss = {2, 1.5, 1.75}, r.history.val_accuracy = {0.25, 0.5, 0.5};
  r.history.learning_rate = {1e-3, 1e-3, 1e-3}, r.history.seconds = {4, 4, 4.5};
  r.split.train = {0, 1, 2, 3}, r.split.validation = {4, 5}, r.split.test = {6, 7, 8, 9};
  r.split.leaks = true;
  r.split.clip_share_in_train = 0.75;
  r.split.notes = {{"group_by", "segment"}};
  const std::vector<std::string> paths{"blues/a.wav", "jazz/b.wav", "rock/c.wav", "jazz/ü.wav"};
  r.validation =
      evaluate(std::vector<float>{0.5f, 0.25f, 0.25f, 0.1f, 0.8f, 0.1f}, std::vector<std::int32_t>{0, 1},
               std::vector<std::int32_t>{0, 1}, std::vector<std::int32_t>{0, 3}, paths);
  r.test =
      evaluate(std::vector<float>{0.1f, 0.2f, 0.7f, 0.1f, 0.6f, 0.3f, 0.5f, 0.4f, 0.1f, 0.1f, 0.8f, 0.1f},
               std::vector<std::int32_t>{2, 1, 2, 1}, std::vector<std::int32_t>{2, 3, 2, 1},
               std::vector<std::int32_t>{0, 0, 1, 9}, paths);
  r.bad_files = {{"jazz/jazz.00054.wav", "is not audio"}};
  return r;
}

}  // namespace timbre::results
