#include "run/log.hpp"

#include <unistd.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/atomic_file.hpp"

namespace timbre::run {

Log::Log(const std::filesystem::path& file, Watcher& beside) : beside_(beside) {
  const int descriptor = storage::open_to_append(file);
  file_.reset(::fdopen(descriptor, "a"));
  if (!file_) ::close(descriptor), fail("{}: cannot be written", printable(file.string()));
}

void Log::write(std::string_view message) {
  const auto text = printable(message);  // labels and paths of strangers may be in it
  std::fprintf(file_.get(), "%s\n", text.c_str());
  std::fflush(file_.get());
}

void Log::line(std::string_view text) {
  write(text);
  beside_.line(text);
}

void Log::count(std::string_view what, std::int64_t done, std::int64_t total, double seconds) {
  beside_.count(what, done, total, seconds);
}

void Log::batch(const training::Progress& progress) { beside_.batch(progress); }

void Log::epoch(const EpochDone& done) {
  write(epoch_text(done));
  beside_.epoch(done);
}

}  // namespace timbre::run
