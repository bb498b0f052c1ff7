// The GPU's stand-in of tests/simt, as a plug-in that commands load in place of the real one.
#pragma once

#include <filesystem>
#include <system_error>

namespace timbre::end_to_end {

/// Where the build keeps what stands in for the GPU's plug-in and programs.
inline std::filesystem::path stand_in_folder() {
  return std::filesystem::path(TIMBRE_BIN_DIR).parent_path() / "tests/simt/plugin";
}

/// Makes a folder with this build's library and, beside it, the stand-in's plug-in. Returns the library: with LD_PRELOAD
/// set to it a command has the stand-in.
inline std::filesystem::path install_stand_in(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  const auto built = fs::path(TIMBRE_BIN_DIR).parent_path() / "lib/libtimbre.so",
             library = folder / "libtimbre.so";
  fs::create_directory(folder);
  fs::create_symlink(stand_in_folder() / "libtimbre_cuda.so", folder / "libtimbre_cuda.so");
  std::error_code error;
  fs::create_hard_link(built, library, error);
  if (error) fs::copy_file(built, library);
  return library;
}

}  // namespace timbre::end_to_end
