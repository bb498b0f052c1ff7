// A cluster of two nodes for tests (start_cluster), and a study on it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "end_to_end/process.hpp"

namespace timbre::cluster {

namespace fs = std::filesystem;

class Cluster {
 public:
  /// Starts it; `reason()` says why not where this cannot be.
  explicit Cluster(const fs::path& folder);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  bool running() const { return reason_.empty(); }
  const std::string& reason() const { return reason_; }

  /// The output of a command on it; fails the test where the command fails and `must` is true.
  std::string say(const std::vector<std::string>& words, bool must = true) const;
  end_to_end::Outcome run(const std::vector<std::string>& words, const fs::path& folder) const;
  /// kill -9 of a node's daemon; what it runs lives on.
  void kill_node(const std::string& node) const;
  void start_node(const std::string& node) const;
  /// What the cluster's daemons wrote, for a test that fails.
  std::string logs() const;

 private:
  fs::path folder_;
  std::string reason_;
};

}  // namespace timbre::cluster
