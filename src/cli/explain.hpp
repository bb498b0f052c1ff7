// --explain [PATH] and --json of the commands that read a YAML file: what its keys mean.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/description.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace timbre::cli {

class Explain {
 public:
  /// Adds both options. `file` is the positional argument, which --explain does without.
  Explain(CLI::App& app, CLI::Option& file);
  bool asked() const { return path_.has_value(); }
  /// Prints on stdout what was asked for. `title` is the schema's; a path may lead into `others`, too. Throws RequestError for a path that leads nowhere.
  void print(const config::Struct& root, const std::string& title,
             const std::vector<config::Struct>& others = {}) const;

 private:
  std::optional<std::string> path_;
  bool json_ = false;
};

}  // namespace timbre::cli
