#include "storage/door.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
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
  now.rlim_cur = std::min<rlim_t>(now.rlim_max, most);  // the hard limit stays: the next file may need more
  ::setrlimit(what, &now);
}

// How the child says what it has.
enum class Answer : std::uint8_t { value, error, unavailable, request, damaged, memory, other };

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      throw Unavailable("no pipe can be made: " + std::generic_category().message(errno));
    read = ends[0], write = ends[1];
  }
  ~Pipe() {
    for (const int end : {read, write})
      if (end >= 0) ::close(end);
  }
  Pipe(const Pipe&) = delete;
};

/// Closes what the parent had open, but for what the child needs: the log of a run must not seem to have a second writer, and
/// a file that the parent removes must be gone.
void close_all_but(std::vector<int> needed) {
  std::sort(needed.begin(), needed.end());
  unsigned next = STDERR_FILENO + 1;
  for (const int descriptor : needed) {
    if (unsigned(descriptor) > next) ::close_range(next, unsigned(descriptor) - 1, 0);
    next = std::max(next, unsigned(descriptor) + 1);
  }
  ::close_range(next, ~0U, 0);
}

/// Makes this process a child that may not write, says nothing, and ends with its parent.
void confine(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU, SIGPIPE})
    ::signal(number, SIG_DFL);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int standard : {0, 1, 2})
    if (null >= 0) ::dup2(null, standard);  // what the C library says of a broken heap, say
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
}

/// The limits for one file: processor time beyond what it has used, memory beyond the `space` it began with.
void allow(const Limits& limits, std::uint64_t space) {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  limit(RLIMIT_CPU, std::uint64_t(used.tv_sec) + 1 + limits.seconds);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they take terabytes of address space
  if (space > 0) limit(RLIMIT_AS, space + limits.memory);
#else
  (void)space;
#endif
}

void answer(int descriptor, Answer kind, std::string message) {
  Sender sender(descriptor);
  sender(kind, message);
  sender.finish();
}

/// Says in an answer what is being thrown.
void complain(int descriptor) {
  try {
    throw;
  } catch (const Broken&) {
    ::_exit(1);
  } catch (const Damaged& e) {
    answer(descriptor, Answer::damaged, e.what());
  } catch (const Unavailable& e) {
    answer(descriptor, Answer::unavailable, e.what());
  } catch (const RequestError& e) {
    answer(descriptor, Answer::request, e.what());
  } catch (const Error& e) {
    answer(descriptor, Answer::error, e.what());
  } catch (const std::bad_alloc&) {
    answer(descriptor, Answer::memory, "");
  } catch (const std::length_error&) {
    answer(descriptor, Answer::memory, "");
  } catch (const std::exception& e) {
    answer(descriptor, Answer::other, e.what());
  }
}

void serve_one(int descriptor, const std::function<Sending(const fs::path&)>& read, const fs::path& file) {
  bool sending = false;
  try {
    const auto send = read(file);
    sending = true;
    Sender sender(descriptor);
    auto kind = Answer::value;
    sender(kind);
    send(sender);
    sender.finish();
  } catch (...) {
    if (sending) ::_exit(1);  // no other answer can follow half of one
    complain(descriptor);
  }
}

/// The child's whole life.
[[noreturn]] void serve(int asks, int answers, const std::function<Sending(const fs::path&)>& read) {
  try {
    const auto space = address_space();
    Receiver receiver(asks, Receiver::Clock::now() + std::chrono::hours(24 * 365), ~std::uint64_t{0});
    for (;;) {
      std::string file;
      receiver(file);  // the parent ends it
      allow(limits_for(file), space);
      serve_one(answers, read, file);
    }
  } catch (...) {
  }
  ::_exit(1);
}

/// Lets this thread write to a pipe without a reader: the write fails, and no signal ends the process.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec now{};
    if (!sigismember(&before_, SIGPIPE))
      while (::sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_, before_;
};

/// Children are started one at a time: one that is forked between the making of another's pipes and the closing of
/// their far ends would keep them open, and the other's end would not be seen.
std::mutex& starting() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

void ReadingChild::start() {
  const std::lock_guard one_at_a_time(starting());
  Pipe to_child, to_parent;
  const auto parent = ::getpid();
  child_ = fork_with_hdf5_at_rest();
  if (child_ == 0) {
    auto needed =
        hdf5_descriptors();  // what the library has open it may open again, and then it goes on with these
    needed.insert(needed.end(), {to_child.read, to_parent.write});
    close_all_but(std::move(needed));
    confine(parent);
    serve(to_child.read, to_parent.write, read_);
  }
  if (child_ < 0) throw Unavailable("no process can be started: " + std::generic_category().message(errno));
  // Room for a whole answer, where the system gives it: two processes that wait for each other are slow.
  ::fcntl(to_parent.read, F_SETPIPE_SZ, 1 << 20);
  asks_ = std::exchange(to_child.write, -1), answers_ = std::exchange(to_parent.read, -1);
}

ReadingChild::End ReadingChild::end() {
  if (child_ <= 0) return {};
  ::kill(child_, SIGKILL);  // it has nothing to lose; one that has crashed keeps its own signal
  ::close(std::exchange(asks_, -1));
  ::close(std::exchange(answers_, -1));
  End end;
  rusage used{};
  while (::wait4(child_, &end.status, 0, &used) < 0 && errno == EINTR) {
  }
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + 1e-6 * double(t.tv_usec); };
  end.processor_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
  child_ = -1;
  return end;
}

void ReadingChild::read(const fs::path& file, const std::function<void(Receiver&)>& receive) {
  read_once(file, receive, true);
}

void ReadingChild::read_once(const fs::path& file, const std::function<void(Receiver&)>& receive,
                             bool again) {
  const auto limits = limits_for(file);
  const auto name = shown(file);
  if (child_ <= 0) start();
  Receiver receiver(answers_, Receiver::Clock::now() + std::chrono::seconds(limits.seconds), limits.memory);
  auto kind = Answer::value;
  std::string message;
  bool begun = false, whole = false;
  try {
    {
      const NoSigpipe guard;
      Sender sender(asks_);
      auto path = file.string();
      sender(path);
      sender.finish();
    }
    receiver(kind);
    begun = true;
    if (kind == Answer::value)
      receive(receiver);
    else
      receiver(message);
    whole = true;
  } catch (const Broken&) {
  } catch (...) {
    end();
    throw;
  }
  if (!whole) {
    const auto [status, processor_seconds] = end();
    // It has done nothing: it waits for a lock that another thread held when it was forked. (The C library frees its
    // own locks, but AddressSanitizer does not.) A new one gets another chance.
    if (receiver.late() && !begun && again && processor_seconds < 0.1 * double(limits.seconds))
      return read_once(file, receive, false);
    if (receiver.late() || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
      throw Damaged(fmt::format("{}: takes longer than {} s to read; it is damaged, or made to do harm", name,
                                limits.seconds));
    const int number = WIFSIGNALED(status) && !receiver.refused() ? WTERMSIG(status) : 0;
    throw Damaged(
        fmt::format("{}: cannot be read: its reader {}; it is damaged, or made to do harm", name,
                    number == 0 ? "broke off" : fmt::format("crashed (SIG{})", sigabbrev_np(number))));
  }
  switch (kind) {
    case Answer::value:
      return;
    case Answer::damaged:
      throw Damaged(message);
    case Answer::unavailable:
      throw Unavailable(message);
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

/// Whether the file belongs to the user of this process. In a folder that several people share, it may not.
static bool is_mine(const fs::path& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 && info.st_uid == ::geteuid();
}

bool is_trusted(const fs::path& file, const Trust& trust) {
  require_regular_file(file);
  const auto seal = read_seal(file);
  if (seal == Seal::broken && !trust.unverified)
    throw Damaged(fmt::format("{}: has changed since Timbre wrote it: its checksum does not fit{}",
                              shown(file), trust.own ? "" : "; --unverified reads it all the same"));
  return trust.own && seal == Seal::whole && is_mine(file);
}

}  // namespace timbre::storage
