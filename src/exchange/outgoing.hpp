// A trained network as it leaves: all that an exported file may say. Made of a result file by run/trained.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/standardise.hpp"
#include "features/options.hpp"
#include "nn/model.hpp"
#include "results/run_record.hpp"

namespace timbre::exchange {

struct Outgoing {
  const nn::Model& model;
  std::vector<float> arena;                      // the weights
  const data::Standardisation& standardisation;  // empty where the network takes features as they are
  const features::FeatureOptions& features;
  std::int64_t segment_samples = 0, segment_hop = 0;  // at the rate of the features
  const results::RunRecord& record;                   // labels, configuration, where it comes from
};

/// What files that have room for texts say of the network: labels (JSON), sample_rate, segment_samples, segment_hop_samples,
/// features (YAML), timbre_version, result_key, experiment, trained_on, licence, ...
std::vector<std::pair<std::string, std::string>> description(const Outgoing& network);

}  // namespace timbre::exchange
