// The study's file as it is written, before its runs are worked out (study.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/schema.hpp"
#include "study/cluster/slurm_options.hpp"

namespace timbre::study {

/// `set: {training.epochs: 60}`: values for paths of a configuration.
struct Assignments {
  struct Assignment {
    std::string path;
    config::Node value;
    config::Origin origin;  // of the path
  };
  std::vector<Assignment> all;
  static Assignments from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

/// `runs: [a.yaml, {config: b.yaml, set: {...}}]`
struct StudyEntry {
  std::filesystem::path config;
  Assignments set;
  config::Origin origin;
  static StudyEntry from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

/// A swept key: its values, or a range that a random search draws from.
struct Axis {
  enum class Range { none, uniform, log_uniform, integer };
  std::string path;
  std::vector<config::Node> values;
  Range range = Range::none;
  double low = 0, high = 0;
  config::Origin origin;  // of the path
};
struct Axes {
  std::vector<Axis> all;
  static Axes from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

/// `search: grid` or `search: {random: {runs: 20, seed: 0}}`
struct Search {
  std::int64_t runs = 0;  // configurations to draw; 0: all combinations
  std::int64_t seed = 0;
  static Search from(const config::Reader& reader);
  static config::Type describe();
  config::Node dump() const;
};

struct StudyConfig {
  std::string study;
  std::optional<std::filesystem::path> base;
  std::vector<StudyEntry> runs;
  Assignments set;
  Axes axes;
  Search search;
  std::vector<std::int64_t> seeds;
  std::optional<int> jobs;
  std::string on_error = "continue";
  std::optional<SlurmOptions> slurm;
};
const config::Schema<StudyConfig>& schema(config::of<StudyConfig>);
/// Its keys, for --explain and the JSON Schema.
config::Struct describe_study_config();

}  // namespace timbre::study
