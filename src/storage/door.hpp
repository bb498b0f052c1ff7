// The one door for HDF5 files that somebody else may have made or damaged.
//
// libhdf5 trusts the files it reads: damage can crash it, and a file made for that can do worse. So a stranger's file is
// read by a child process, which sends what it read; the parent never lets the library see it. The child may use
// 256 MiB of memory and four times the size of the file, and 4 s and one more for every 16 MiB of the file, of a
// processor and of the clock; what happens to it is one line that names the file.
//
// Who takes the child:
//   own = true   files in the folders of runs and stores, which Timbre wrote itself. Those with a checksum that fits
//                (seal.hpp) are read here and now, if they belong to this user; those of another user in a shared
//                folder, and those without a checksum (earlier versions), by the child.
//   own = false  files that a person names. Always by the child: a checksum tells that nothing was damaged, not who
//                wrote it.
// Either way a file whose checksum does not fit is refused (Damaged), unless `unverified` asks for it; it is then read
// by the child. What HDF5 may do with a file in any process is bounded in hdf5.cpp: no links, no storage elsewhere, no
// plug-ins, no sizes that the file cannot hold.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "core/error.hpp"
#include "storage/parcel.hpp"

namespace timbre::storage {

/// How far a file is believed.
struct Trust {
  bool own = false;         // it lies where Timbre itself puts such files
  bool unverified = false;  // read it although its checksum does not fit
};
inline constexpr Trust own_file{.own = true};

/// A checksum that does not fit, or a file on which the library crashed.
struct Damaged : Error {
  using Error::Error;
};

/// Whether this process may read the file itself. Throws Damaged, RequestError (not there, not a file).
bool is_trusted(const std::filesystem::path& file, const Trust& trust);

using Sending = std::function<void(Sender&)>;

/// A child process that reads one file after another. It is started by the first, and again after one on which it
/// crashed. Not for several threads.
class ReadingChild {
 public:
  /// `read` runs in the child, then what it returned, which sends.
  explicit ReadingChild(std::function<Sending(const std::filesystem::path&)> read) : read_(std::move(read)) {}
  ~ReadingChild() { end(); }
  ReadingChild(const ReadingChild&) = delete;
  ReadingChild& operator=(const ReadingChild&) = delete;

  /// Has the child read a file, and receives. Throws what `read` threw: Error, RequestError, Damaged; and Damaged where
  /// the child crashed, or used too much of anything.
  void read(const std::filesystem::path& file, const std::function<void(Receiver&)>& receive);

 private:
  struct End {
    int status = 0;  // as waitpid gives it
    double processor_seconds = 0;
  };
  void start();
  End end();
  void read_once(const std::filesystem::path& file, const std::function<void(Receiver&)>& receive,
                 bool again);
  std::function<Sending(const std::filesystem::path&)> read_;
  int child_ = -1, asks_ = -1, answers_ = -1;
};

/// A child's work on a file: it reads a value, and sends it.
template <class Read>
auto read_and_send(Read read) {
  return [read = std::move(read)](const std::filesystem::path& file) -> Sending {
    using T = std::invoke_result_t<const Read&, const std::filesystem::path&>;
    const auto value = std::make_shared<T>(read(file));
    return [value](Sender& sender) { sender(*value); };
  };
}

/// Files behind the door, all read by one child where one is needed at all.
template <class T>
class FilesBehindDoor {
 public:
  FilesBehindDoor(const Trust& trust, std::function<T(const std::filesystem::path&)> read)
      : trust_(trust), read_(std::move(read)), child_(read_and_send(read_)) {}
  T read(const std::filesystem::path& file) {
    if (is_trusted(file, trust_)) return read_(file);
    T out{};
    child_.read(file, [&](Receiver& receiver) { receiver(out); });
    return out;
  }

 private:
  Trust trust_;
  std::function<T(const std::filesystem::path&)> read_;
  ReadingChild child_;
};

/// What `read` returns, which must be able to travel (parcel.hpp), from this process or from a child. From a child,
/// exceptions that are no Error become one that names the file.
template <class Read>
auto read_here_or_in_child(bool here, const std::filesystem::path& file, Read read) {
  using T = std::invoke_result_t<Read>;
  if (here) return read();
  T out{};
  ReadingChild(read_and_send([&](const std::filesystem::path&) {
    return read();
  })).read(file, [&](Receiver& receiver) { receiver(out); });
  return out;
}

/// The same, wherever the file may be read.
template <class Read>
auto read_behind_door(const std::filesystem::path& file, const Trust& trust, Read read) {
  return read_here_or_in_child(is_trusted(file, trust), file, std::move(read));
}

}  // namespace timbre::storage
