// A checkpoint: a TrainerState in an HDF5 file, written whole or not at all.
#pragma once

#include <filesystem>
#include <string>

#include "training/trainer.hpp"

namespace timbre::training {

/// `key` is that of the run; a checkpoint of another run is refused. Throws Error where the disk refuses.
void write_checkpoint(const std::filesystem::path& path, const std::string& key, const TrainerState& state);

/// Throws Error: not there, damaged, of another run or model. Another process reads the file.
TrainerState read_checkpoint(const std::filesystem::path& path, const std::string& key);
/// The same in this process: what that one does.
TrainerState read_checkpoint_here(const std::filesystem::path& path, const std::string& key);

}  // namespace timbre::training
