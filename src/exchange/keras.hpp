// Networks as files of Keras: `.h5`, which Keras 2 and 3 load, and `.keras`, which Keras 3 loads.
//
// A network whose run standardised its features begins with a Normalization layer, with mean and variance in its
// configuration, so that Keras predicts rightly from the features that extract_features writes. What a Keras file has no
// room for (labels, settings of the features) lies in the attribute `timbre` of the .h5's root, or in the member
// `timbre.json` of the .keras archive; Keras ignores both, and import_model reads them.
// (Behind a Masking that comes first, Keras 2 forgets the mask at a Normalization: such a network is right in Keras 3 alone.)
// Errors: Error where the disk refuses.
// Source: keras/src/saving/saving_lib.py and keras/src/legacy/saving/legacy_h5_format.py of Keras 3.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "exchange/outgoing.hpp"

namespace timbre::exchange {

/// The JSON of a Sequential as Keras 2 has it; Keras 3 loads it, too.
nlohmann::ordered_json keras_model(const Outgoing& network);
/// The same as Keras 3 writes it: with the modules of classes.
nlohmann::ordered_json with_modules(const nlohmann::ordered_json& model);

void write_keras_h5(const std::filesystem::path& file, const Outgoing& network);
void write_keras_archive(const std::filesystem::path& file, const Outgoing& network);

}  // namespace timbre::exchange
