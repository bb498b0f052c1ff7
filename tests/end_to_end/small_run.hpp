// A run that ends within seconds: the original's architectures, narrowed, on a little made-up music.
#pragma once

#include <filesystem>
#include <string>

namespace timbre::end_to_end {

/// architecture: mlp, cnn or lstm. The experiment is called small_<architecture>.
void write_small_run(const std::filesystem::path& file, const std::string& architecture);

}  // namespace timbre::end_to_end
