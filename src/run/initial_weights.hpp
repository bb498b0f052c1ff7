// The weights that a network begins with: those of a finished run (`initialise_from: FILE`).
//
// A layer takes the weights of the file's layer of the same name, where all shapes are the same. A layer that the file does
// not have begins as without a file. Another shape is an error that names every such layer; the last layer alone, whose size
// is the number of classes, then begins anew. The standardisation of features is that of the new run's own training part.
// The run's key has the weights' content, not the file's place.
// Errors: RequestError about initialise_from: no result, a damaged one, one without weights, weights that are not finite,
// shapes that differ, and no layer that the two have in common.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "nn/model.hpp"
#include "results/keras_layout.hpp"

namespace timbre::run {

struct InitialWeights {
  std::string file;                          // as messages name it
  std::string hash;                          // of the file's weights, with their layers and shapes
  std::vector<results::WeightTensor> taken;  // in the order of the model
  std::vector<std::string> layers, anew;     // that took them; that have some and did not
};

InitialWeights initial_weights(const std::filesystem::path& file, const nn::Model& model);

/// Puts them into an arena of the model.
void put(const InitialWeights& weights, const nn::Model& model, std::span<float> arena);

/// "begins with the weights of conv2d, dense from runs/a/result.h5; dense_1 begins anew"
std::string describe(const InitialWeights& weights);

}  // namespace timbre::run
