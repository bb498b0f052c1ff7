// A network that was trained elsewhere, as a result of Timbre: what `import_model` does.
//
// A file of Keras says the layers and their weights, and rarely what they were trained on. The settings of the features come
// from, in this order: a configuration that the person names (its `features:` and how it cuts clips); the file itself, where
// Timbre exported it; or a guess from the input's shape, which a note tells. The labels likewise.
// The result has the status "imported". It holds no history, no split and no figures: `predict` and `evaluate` use it.
// Errors: RequestError for a file that is no model of Keras, and for labels or settings that do not fit it; Error for a model
// that cannot be taken, with the place in it (exchange/keras_import.hpp).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "results/run_record.hpp"

namespace timbre::run {

struct ImportOptions {
  std::optional<std::filesystem::path> config;  // whose features are those of the network
  std::vector<std::string> labels;              // empty: the file's own
  storage::Trust trust;
};

struct Imported {
  results::RunRecord record;
  std::vector<std::string> notes;  // what was guessed or left out, one line each
};

Imported import_keras(const std::filesystem::path& file, const ImportOptions& options);

}  // namespace timbre::run
