#include "exchange/outgoing.hpp"

#include <nlohmann/json.hpp>

#include "config/schema.hpp"
#include "core/text.hpp"
#include "results/environment.hpp"

namespace timbre::exchange {

namespace {

/// The record's configuration, without the places of data on the machine where it was trained.
std::string shareable(const std::string& configuration) {
  const auto root = config::parse_text(configuration, "the configuration", ".");
  auto out = config::Node::map();
  for (const std::string key :
       {"experiment", "seed", "dataset", "features", "model", "regularisation", "training"})
    if (const auto* value = root.find(key)) out.set(key, *value);
  if (auto* dataset = out.find("dataset"))
    for (const auto* key : {"path", "manifest", "synthetic", "labels"}) dataset->erase(key);
  return config::to_yaml(out);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> description(const Outgoing& network) {
  const auto& r = network.record;
  const auto rate = double(network.features.sample_rate);
  return {{"labels",
           nlohmann::json(r.label_names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)},
          {"sample_rate", std::to_string(network.features.sample_rate)},
          {"channels", "1 (the mean of a file's channels)"},
          {"segment_samples", std::to_string(network.segment_samples)},
          {"segment_seconds", number_text(double(network.segment_samples) / rate)},
          {"segment_hop_samples", std::to_string(network.segment_hop)},
          {"features", config::to_yaml(network.features.dump())},
          {"feature_version", std::to_string(features::feature_version)},
          {"standardisation", network.standardisation.mean.empty() ? "none" : "inside the model"},
          {"experiment", printable(r.experiment)},
          {"seed", std::to_string(r.seed)},
          {"result_key", printable(r.key)},
          {"trained_on", r.synthetic ? "SYNTHETIC clips, which are no music"
                                     : "audio files, as the configuration names them"},
          {"trained_by", "timbre " + printable(r.version)},
          {"timbre_version", results::library_version()},
          {"configuration", printable_lines(shareable(r.config))},
          {"licence",
           "This file holds no code of Timbre or of the libraries that it links. Whether the recordings that "
           "the network was "
           "trained on allow its use must be found out by the person who passes it on."}};
}

}  // namespace timbre::exchange
