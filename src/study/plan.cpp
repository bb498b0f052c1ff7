#include "study/plan.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/schema.hpp"
#include "core/text.hpp"
#include "storage/atomic_file.hpp"
#include "study/study_index.hpp"

namespace timbre::study {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::size_t most_bytes = std::size_t{256} << 20;
constexpr int version = 1;

/// What may name a run's folder: no way out of the study's.
bool is_folder_name(const std::string& name) {
  constexpr std::string_view forbidden("/\\\n \0", 5);
  return !name.empty() && name.size() < 255 && name.front() != '.' &&
         name.find_first_of(forbidden) == name.npos;
}

StudyRun read_run(const json& entry, bool is_wanted, const std::string& place, StudyIndex& index) {
  StudyRun run;
  run.name = entry.at("name").get<std::string>(), run.folder = entry.at("folder").get<std::string>();
  if (!is_folder_name(run.folder)) fail_request("{}: a run's folder has no name that it may have", place);
  run.configuration = entry.at("configuration").get<std::size_t>(), run.base = entry.at("base").get<bool>();
  if (!is_wanted) return run;
  run.config = run::parse_run_config(config::parse_text(
      entry.at("config").get<std::string>(), fmt::format("{}: {}", place, printable(run.name)), "."));
  index.place(run);
  return run;
}

}  // namespace

fs::path plan_file(const fs::path& folder) { return folder / "plan.json"; }

void save_plan(const Study& study, const fs::path& folder) {
  json out{{"schema", "timbre-plan"},
           {"version", version},
           {"study", study.name},
           {"planned_in", fs::current_path().string()},
           {"axes", study.axes},
           {"configurations", study.configurations},
           {"stop_on_error", study.stop_on_error},
           {"sealed", study.sealed}};
  if (study.jobs) out["jobs"] = *study.jobs;
  if (study.slurm) out["slurm"] = config::to_yaml(schema(config::of<SlurmOptions>{}).dump(*study.slurm));
  auto& runs = out["runs"] = json::array();
  for (const auto& run : study.runs)
    runs.push_back({{"name", run.name},
                    {"folder", run.folder},
                    {"configuration", run.configuration},
                    {"base", run.base},
                    {"config", run::resolved_yaml(study.plan(run))}});
  storage::write_file(plan_file(folder), out.dump(1) + "\n", storage::Links::replace);
}

Study load_plan(const fs::path& folder, const std::optional<std::set<std::size_t>>& wanted,
                const fs::path& runs, int threads, run::Watcher& watcher) {
  const auto file = plan_file(folder);
  const auto place = printable(file.string());
  const auto text = storage::read_own_file(file, most_bytes);
  if (!text) fail_request("{}: there is no plan of a study that can be read", place);
  try {
    const auto in = json::parse(*text);
    if (in.at("schema") != "timbre-plan") fail_request("{}: is no plan of a study", place);
    if (in.at("version").get<int>() > version)
      fail_request("{}: was made by a newer version of Timbre", place);
    Study study;
    study.name = in.at("study").get<std::string>(),
    study.axes = in.at("axes").get<std::vector<std::string>>();
    study.configurations = in.at("configurations").get<std::size_t>();
    study.stop_on_error = in.at("stop_on_error").get<bool>(), study.sealed = in.at("sealed").get<bool>();
    if (in.contains("jobs")) study.jobs = in.at("jobs").get<int>();
    if (in.contains("slurm")) {
      const auto block = config::parse_text(in.at("slurm").get<std::string>(), place, ".");
      study.slurm = schema(config::of<SlurmOptions>{}).parse(config::Reader(block, "slurm"));
    }
    // Data sets may have relative paths.
    const auto planned_in = in.value("planned_in", "");
    std::error_code none;
    if (!(wanted && wanted->empty()) && !planned_in.empty() &&
        !fs::equivalent(planned_in, fs::current_path(), none))
      fail_request("{}: the study was planned in {}; begin it there", place, printable(planned_in));
    StudyIndex index(study, runs, threads, watcher);
    for (const auto& entry : in.at("runs")) {
      const auto number = study.runs.size();
      study.runs.push_back(read_run(entry, !wanted || wanted->contains(number), place, index));
    }
    if (study.runs.empty()) fail_request("{}: has no runs", place);
    return study;
  } catch (const json::exception& e) {
    fail_request("{}: is damaged: {}", place, printable(e.what()));
  }
}

}  // namespace timbre::study
