#include "study/inventory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "results/run_record.hpp"
#include "results/text_table.hpp"
#include "run/run.hpp"
#include "storage/atomic_file.hpp"
#include "storage/claim.hpp"
#include "study/overview.hpp"

namespace timbre::study {

namespace fs = std::filesystem;

namespace {

constexpr int deepest = 6;

std::string shown(const fs::path& path) { return printable(path.string()); }

/// Every folder from `root` down, each before what it holds.
std::vector<fs::path> folders_below(const fs::path& root) {
  std::error_code error;
  if (!fs::is_directory(root, error)) fail_request("{}: there is no such folder", shown(root));
  std::vector<fs::path> out{root};
  fs::recursive_directory_iterator it(root, fs::directory_options::skip_permission_denied, error), end;
  for (; !error && it != end; it.increment(error)) {
    if (it.depth() >= deepest) it.disable_recursion_pending();
    std::error_code none;
    if (!it->is_symlink(none) && it->is_directory(none)) out.push_back(it->path());
  }
  return out;
}

std::string figure_of(const fs::path& folder, const RunOverview& run) {
  if (run.state != "finished") return run.detail;
  if (run.status && run.status->val_accuracy >= 0)
    return fmt::format("{:.1f}% of validation clips", 100 * run.status->val_accuracy);
  try {  // of an earlier version: the result tells
    const auto record = results::read_result(folder / "result.h5", false, storage::own_file);
    if (record.validation)
      return fmt::format("{:.1f}% of validation clips", 100 * record.validation->clips.accuracy);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

InventoryRun describe_run(const fs::path& folder, const fs::path& root) {
  InventoryRun out{.name = printable(folder.lexically_relative(root).string()),
                   .key = run::folder_key(folder),
                   .data = "",
                   .state = "",
                   .figure = ""};
  const auto run = overview_of(folder, root);
  out.state = run.state, out.figure = figure_of(folder, run);
  if (run.status) out.data = run.status->data;
  auto newest = fs::file_time_type::min();
  std::error_code none;
  for (const auto& file : fs::directory_iterator(folder, none)) {
    std::error_code gone;
    if (!fs::is_regular_file(file.symlink_status(gone))) continue;
    if (const auto size = file.file_size(gone); !gone) out.bytes += size;
    if (const auto time = file.last_write_time(gone); !gone) newest = std::max(newest, time);
  }
  out.seconds =
      std::chrono::duration_cast<std::chrono::seconds>(fs::file_time_type::clock::now() - newest).count();
  return out;
}

std::string size_text(std::uintmax_t bytes) {
  return bytes < 1000000 ? fmt::format("{:.1f} kB", double(bytes) / 1e3)
                         : fmt::format("{:.1f} MB", double(bytes) / 1e6);
}

std::string age_text(std::int64_t seconds) {
  if (seconds >= 2 * 86400) return fmt::format("{} days", seconds / 86400);
  return duration_text(double(std::max<std::int64_t>(seconds, 0)));
}

std::uintmax_t size_of(const fs::path& file) {
  std::error_code gone;
  const auto size = fs::file_size(file, gone);
  return gone ? 0 : size;
}

bool is_run(const fs::path& folder) { return !run::folder_key(folder).empty(); }

/// What a folder holds that dead processes left, or that was put aside.
void add_leftovers(const fs::path& folder, std::vector<Leftover>& out) {
  for (const auto& file : storage::dead_temporaries(folder))
    out.push_back({file, "a temporary of a dead process", size_of(file)});
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    std::error_code none;
    if (!fs::is_regular_file(it->symlink_status(none))) continue;
    if (name.starts_with("damaged-"))
      out.push_back({it->path(), "was damaged, and put aside", size_of(it->path())});
    const bool is_claim = name == ".lock" || name.ends_with(".lock");
    if (is_claim && storage::is_dead_claim(it->path()))
      out.push_back({it->path(), "a claim of a dead process", size_of(it->path())});
  }
}

}  // namespace

Inventory inventory(const fs::path& root) {
  Inventory out;
  for (const auto& folder : folders_below(root)) {
    if (is_run(folder)) out.runs.push_back(describe_run(folder, root));
    if (const auto name = first_line(storage::read_own_file(folder / "study").value_or("")); !name.empty())
      out.studies.push_back({printable(folder.lexically_relative(root).string()), printable(name)});
  }
  std::sort(out.runs.begin(), out.runs.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

std::string describe(const Inventory& inventory) {
  std::string out;
  results::TextTable table({"run", "state", "figure", "data", "key", "size", "age"}, 5);
  std::uintmax_t bytes = 0;
  for (const auto& r : inventory.runs) {
    table.row({r.name, r.state, r.figure, r.data, printable(r.key), size_text(r.bytes), age_text(r.seconds)});
    bytes += r.bytes;
  }
  if (!inventory.runs.empty()) out += table.str();
  for (const auto& [folder, name] : inventory.studies) {
    const auto runs = std::count_if(inventory.runs.begin(), inventory.runs.end(), [&](const auto& r) {
      return folder == "." || r.name.starts_with(folder + "/");
    });
    out += fmt::format("study {} in {}: {} run{}\n", name, folder, runs, runs == 1 ? "" : "s");
  }
  out +=
      fmt::format("{} run{}, {} stud{}, {}\n", inventory.runs.size(), inventory.runs.size() == 1 ? "" : "s",
                  inventory.studies.size(), inventory.studies.size() == 1 ? "y" : "ies", size_text(bytes));
  return out;
}

std::vector<Leftover> leftovers(const fs::path& root, std::string& note) {
  std::vector<Leftover> out;
  std::set<std::string> needed;
  std::vector<fs::path> stores;
  std::size_t silent = 0, runs = 0;
  for (const auto& folder : folders_below(root)) {
    add_leftovers(folder, out);
    if (folder.filename() == "features") stores.push_back(folder);
    if (!is_run(folder)) continue;
    ++runs;
    const auto status = run::read_status(folder);
    if (!status || status->features.empty())
      ++silent;
    else
      needed.insert(status->features);
  }
  if (stores.empty()) return out;
  if (silent > 0 || runs == 0) {
    note = silent > 0 ? fmt::format(
                            "{} runs do not tell which features they need (they are of an earlier version): "
                            "all feature "
                            "files are kept",
                            silent)
                      : "there is no run below: all feature files are kept";
    return out;
  }
  for (const auto& store : stores) {
    std::error_code error;
    for (fs::directory_iterator it(store, error), end; !error && it != end; it.increment(error)) {
      const auto& file = it->path();
      std::error_code none;
      if (file.extension() != ".h5" || !fs::is_regular_file(it->symlink_status(none))) continue;
      if (needed.contains(file.filename().string()) ||
          fs::exists(store / (file.stem().string() + ".lock"), none))
        continue;
      if (file.filename().string().starts_with(".tmp-") || file.filename().string().starts_with("damaged-"))
        continue;
      out.push_back({file, "features that no run here names", size_of(file)});
    }
  }
  return out;
}

}  // namespace timbre::study
