// Lines that decoders write to stderr by themselves, with the name of their file before them.
//
// libmpg123, below libsndfile, complains of what it meets in a file ("Note: Illegal Audio-MPEG-Header ..."), and does not
// say in which. Once named, such a line reads "songs/a.mp3: Note: Illegal ...".
#pragma once

#include <string>
#include <string_view>

namespace timbre::audio {

/// Names decoders' lines from here on. Call it once, before other threads begin. All other writes to stderr pass
/// unchanged. Where the C library has no fopencookie, nothing changes.
void name_decoder_messages();

/// While it lives, this thread decodes that file.
class Decoding {
 public:
  explicit Decoding(std::string_view file);
  ~Decoding();
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;

 private:
  std::string_view before_;
};

}  // namespace timbre::audio
