// The audio files that a person means by a path: a file, a folder with all that is below it, or a list.
#pragma once

#include <filesystem>
#include <vector>

namespace timbre::data {

/// A folder stands for the audio files below it (is_audio_name), in the order of their paths; links to folders are not
/// followed, hidden ones not entered. A list (.txt, .m3u, .m3u8) stands for the files that it names, one a line, relative
/// to its own folder; lines with # are comments. Anything else is an audio file itself.
/// Throws RequestError: a list that cannot be read or names nothing, a folder without audio or that cannot be read.
std::vector<std::filesystem::path> audio_paths(const std::filesystem::path& given);

}  // namespace timbre::data
