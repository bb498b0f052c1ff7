#include "data/audio_paths.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/clip_lists.hpp"
#include "data/clips.hpp"

namespace timbre::data {

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> below(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    std::error_code unknown;
    if (it->is_directory(unknown)) {
      if (name.starts_with('.')) it.disable_recursion_pending();
    } else if (is_audio_name(name)) {
      out.push_back(it->path());
    }
  }
  if (error) fail_request("{}: cannot be read: {}", printable(folder.string()), error.message());
  if (out.empty()) fail_request("{}: there are no audio files in this folder", printable(folder.string()));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
  return out;
}

}  // namespace

std::vector<fs::path> audio_paths(const fs::path& given) {
  std::error_code unknown;
  if (fs::is_directory(given, unknown)) return below(given);
  const auto extension = given.extension();
  if (extension != ".txt" && extension != ".m3u" && extension != ".m3u8") return {given};
  std::vector<fs::path> out;
  for (const auto& entry : read_list(given)) out.push_back(given.parent_path() / entry.name);
  return out;
}

}  // namespace timbre::data
