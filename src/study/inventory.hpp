// What lies in a folder of runs: the runs and studies, and what nobody needs any more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace timbre::study {

struct InventoryRun {
  std::string name, key, data, state, figure;  // name: its folder, relative; figure: "clips 81.2%"
  std::uintmax_t bytes = 0;
  std::int64_t seconds = 0;  // since something in it was written
};

struct Inventory {
  std::vector<InventoryRun> runs;                            // by name
  std::vector<std::pair<std::string, std::string>> studies;  // folder, name
};

/// Folders are looked through six deep, symbolic links left alone. Throws RequestError where there is no such folder.
Inventory inventory(const std::filesystem::path& folder);
/// As a person reads it.
std::string describe(const Inventory& inventory);

struct Leftover {
  std::filesystem::path file;
  std::string why;
  std::uintmax_t bytes = 0;
};
/// Feature files that no run below the folder names, temporaries and claims of dead processes, and results that were put aside.
/// Where a run does not tell its features (of an earlier version), no feature file is among them, and `note` says so.
std::vector<Leftover> leftovers(const std::filesystem::path& folder, std::string& note);

}  // namespace timbre::study
