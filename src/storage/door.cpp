#include "storage/door.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "core/text.hpp"
#include "storage/hdf5.hpp"
#include "storage/seal.hpp"

namespace timbre::storage {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t free_memory = std::uint64_t{256} << 20, memory_per_byte = 4;
constexpr std::uint64_t free_seconds = 4, bytes_per_second = std::uint64_t{16} << 20;

std::string shown(const fs::path& path) { return printable(path.string()); }

struct Limits {
  std::uint64_t memory, seconds;
};
Limits limits_for(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  const std::uint64_t bytes = error ? 0 : size;
  return {free_memory + memory_per_byte * bytes, free_seconds + bytes / bytes_per_second};
}

/// Bytes of address space of this process.
std::uint64_t address_space() {
  std::uint64_t pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    unsigned long read = 0;
    if (std::fscanf(file, "%lu", &read) == 1) pages = read;
    std::fclose(file);
  }
  return pages * std::uint64_t(::sysconf(_SC_PAGESIZE));
}

void limit(__rlimit_resource what, std::uint64_t most) {
  rlimit now{};
  if (::getrlimit(what, &now) != 0) return;
  // (at the hard limit of processor time a process is killed outright, and nobody knows why)
  now.rlim_max = std::min<rlim_t>(now.rlim_max, most + (what == RLIMIT_CPU ? 1 : 0));
  now.rlim_cur = std::min<rlim_t>(now.rlim_max, most);
  ::setrlimit(what, &now);
}

// How the child says what it has.
enum class Answer : std::uint8_t { value, error, request, damaged, memory, other };

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      fail("no pipe can be made: {}", std::generic_category().message(errno));
    read = ends[0], write = ends[1];
  }
  void close_writing() {
    if (write >= 0) ::close(std::exchange(write, -1));
  }
  ~Pipe() {
    close_writing();
    ::close(read);
  }
};

/// What the child is: it holds nothing but the file, may not write, and goes with its parent.
void confine(const Limits& limits, std::uint64_t space, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU, SIGPIPE})
    ::signal(number, SIG_DFL);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int standard : {0, 1, 2})
    if (null >= 0) ::dup2(null, standard);  // what the C library says of a broken heap, say
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CPU, limits.seconds);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they take terabytes of address space
  if (space > 0) limit(RLIMIT_AS, space + limits.memory);
#endif
}

void answer(int descriptor, Answer kind, std::string message) {
  Sender sender(descriptor);
  sender(kind, message);
  sender.finish();
}

/// The child's whole life; does not return.
[[noreturn]] void serve(int descriptor, const std::function<Sending()>& read) {
  const auto answer_with = [&](Answer kind, const char* message) {
    answer(descriptor, kind, message);
    ::_exit(0);
  };
  try {
    try {
      const auto send = read();
      Sender sender(descriptor);
      auto kind = Answer::value;
      sender(kind);
      send(sender);
      sender.finish();
      ::_exit(0);
    } catch (const Damaged& e) {
      answer_with(Answer::damaged, e.what());
    } catch (const RequestError& e) {
      answer_with(Answer::request, e.what());
    } catch (const Error& e) {
      answer_with(Answer::error, e.what());
    } catch (const std::bad_alloc&) {
      answer_with(Answer::memory, "");
    } catch (const std::length_error&) {
      answer_with(Answer::memory, "");
    } catch (const std::exception& e) {
      answer_with(Answer::other, e.what());
    }
  } catch (...) {
  }
  ::_exit(1);
}

/// The status of a child that has ended, or is ended here.
int end_of(pid_t child, bool kill) {
  if (kill) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

void read_in_child(const fs::path& file, const std::function<Sending()>& read,
                   const std::function<void(Receiver&)>& receive) {
  const auto limits = limits_for(file);
  const auto name = shown(file);
  Pipe pipe;
  const auto space = address_space();
  const auto parent = ::getpid();
  const pid_t child = fork_with_hdf5_at_rest();
  if (child == 0) {
    confine(limits, space, parent);
    serve(pipe.write, read);
  }
  if (child < 0) fail("{}: no process to read it: {}", name, std::generic_category().message(errno));
  pipe.close_writing();
  const auto until = Receiver::Clock::now() + std::chrono::seconds(limits.seconds);
  Receiver receiver(pipe.read, until, limits.memory);
  auto kind = Answer::value;
  std::string message;
  bool whole = false;
  try {
    receiver(kind);
    if (kind == Answer::value)
      receive(receiver);
    else
      receiver(message);
    whole = true;
  } catch (const Broken&) {
  } catch (...) {
    end_of(child, true);
    throw;
  }
  const int status = end_of(child, !whole && receiver.late());
  if (!whole) {
    if (receiver.late() || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
      throw Damaged(fmt::format("{}: takes longer than {} s to read; it is damaged, or made to do harm", name,
                                limits.seconds));
    const int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    throw Damaged(
        fmt::format("{}: cannot be read: its reader {}; it is damaged, or made to do harm", name,
                    number == 0 ? "broke off" : fmt::format("crashed (SIG{})", sigabbrev_np(number))));
  }
  switch (kind) {
    case Answer::value:
      return;
    case Answer::damaged:
      throw Damaged(message);
    case Answer::request:
      throw RequestError(message);
    case Answer::memory:
      throw Damaged(fmt::format("{}: asks for more memory than a file of its size may ({} MB)", name,
                                limits.memory >> 20));
    case Answer::other:
      throw Error(fmt::format("{}: cannot be read: {}", name, printable(message)));
    case Answer::error:
      break;
  }
  throw Error(message);
}

bool is_trusted(const fs::path& file, const Trust& trust) {
  require_regular_file(file);
  const auto seal = read_seal(file);
  if (seal == Seal::broken && !trust.unverified)
    throw Damaged(fmt::format("{}: has changed since Timbre wrote it: its checksum does not fit{}",
                              shown(file), trust.own ? "" : "; --unverified reads it all the same"));
  return trust.own && seal == Seal::whole;
}

}  // namespace timbre::storage
