#include "cluster/cluster.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

namespace timbre::cluster {

namespace {

std::string script() { return TIMBRE_SOURCE_DIR "/tests/cluster/start_cluster"; }

bool is_installed(const char* program) {
  for (const auto* folder : {"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"})
    if (::access((fs::path(folder) / program).c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace

Cluster::Cluster(const fs::path& folder) : folder_(folder) {
  for (const auto* program : {"slurmctld", "slurmd", "munged", "sbatch"})
    if (!is_installed(program)) {
      reason_ = std::string(program) + " is not installed (Debian: slurm-wlm, munge)";
      return;
    }
  if (::geteuid() != 0) {
    reason_ = "a cluster of its own can be started by root alone";
    return;
  }
  const auto path = std::string(std::getenv("PATH") ? std::getenv("PATH") : "") + ":/usr/sbin:/sbin";
  ::setenv("PATH", path.c_str(), 1);
  const auto started = end_to_end::run_process({script(), folder.string()}, {.limit_seconds = 60});
  ::setenv("SLURM_CONF", (folder / "slurm.conf").c_str(), 1);
  if (started.status != 0) reason_ = "the cluster does not start: " + started.err + logs();
}

Cluster::~Cluster() {
  if (fs::exists(folder_ / "slurm.conf")) end_to_end::run_process({script(), "stop", folder_.string()});
}

end_to_end::Outcome Cluster::run(const std::vector<std::string>& words, const fs::path& folder) const {
  return end_to_end::run_process(words, {.folder = folder, .limit_seconds = 300});
}

std::string Cluster::say(const std::vector<std::string>& words, bool must) const {
  const auto out = end_to_end::run_process(words, {.limit_seconds = 60});
  if (must) {
    EXPECT_EQ(out.status, 0) << words[0] << ": " << out.err;
  }
  return out.out;
}

void Cluster::kill_node(const std::string& node) const {
  const auto pid = std::stoi(end_to_end::read_file(folder_ / ("slurmd." + node + ".pid")));
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
}

void Cluster::start_node(const std::string& node) const {
  end_to_end::run_process({script(), "node", folder_.string(), node});
}

std::string Cluster::logs() const {
  std::string out;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder_ / "log", none)) {
    const auto text = end_to_end::read_file(entry.path());
    out += "\n" + entry.path().filename().string() + ":\n" +
           text.substr(text.size() - std::min<std::size_t>(text.size(), 6000));
  }
  return out;
}

}  // namespace timbre::cluster
