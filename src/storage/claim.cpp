#include "storage/claim.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "core/interrupt.hpp"
#include "core/text.hpp"
#include "storage/process_name.hpp"

namespace timbre::storage {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t record_size =
    512;                         // all are as long: a reader with an older size in mind misses nothing
constexpr int most_tickets = 4;  // a ticket for a ticket ...

std::string shown(const fs::path& path) { return printable(path.string()); }
std::string reason(int number) { return std::generic_category().message(number); }

std::string fresh_token() {
  std::random_device source;
  return fmt::format("{:08x}{:08x}", source(), source());
}

std::string time_text() {
  char when[64] = "";
  const auto now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  std::strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts);
  return when;
}

/// The lines of a claim.
struct Record {
  std::string holder, token, process;
  std::uint64_t beat = 0;

  std::string str() const {
    auto text =
        fmt::format("{}\ntoken {}\nprocess {}\nbeat {}\n", holder.substr(0, 300), token, process, beat);
    text.resize(record_size, '\n');
    return text;
  }
  static Record parse(const std::string& text) {
    Record out;
    out.holder = first_line(text);
    const auto line = [&](std::string_view name) -> std::string {
      const auto at = text.find(fmt::format("\n{} ", name));
      if (at == text.npos) return "";
      const auto begin = at + name.size() + 2;
      return text.substr(begin, text.find('\n', begin) - begin);
    };
    out.process = line("process");
    const auto token = line("token");  // it becomes part of a file's name
    if (token.size() == 16 && token.find_first_not_of("0123456789abcdef") == token.npos) out.token = token;
    return out;
  }
};

/// What is in a claim; nothing where there is none. Throws Error where it is no regular file.
std::optional<std::string> read_claim(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0 && (errno == ENOENT || errno == ESTALE)) return std::nullopt;
  const auto name = printable(file.filename().string());
  if (descriptor < 0 && errno == ELOOP)
    fail("{}: the folder cannot be locked: its {} is a symbolic link; remove it", shown(file.parent_path()),
         name);
  if (descriptor < 0) fail("{}: the folder cannot be locked: {}", shown(file.parent_path()), reason(errno));
  struct stat s {};
  std::array<char, record_size> text{};
  // One that was removed since it was opened: a network's file system may know nothing of it any more.
  const bool gone = fstat(descriptor, &s) != 0;
  const bool regular = !gone && S_ISREG(s.st_mode);
  const auto got = regular ? ::pread(descriptor, text.data(), text.size(), 0) : 0;
  ::close(descriptor);
  if (gone || got < 0) return std::nullopt;
  if (!regular)
    fail("{}: the folder cannot be locked: its {} is not a regular file; remove it",
         shown(file.parent_path()), name);
  return std::string(text.data(), std::size_t(got));
}

bool write_whole(int descriptor, const std::string& text) {
  const bool written = ::pwrite(descriptor, text.data(), text.size(), 0) == ssize_t(text.size());
  const int number = errno;
  if (::close(descriptor) < 0) return false;  // (a network tells a full disk here)
  errno = number;
  return written;
}

[[noreturn]] void fail_to_lock(const fs::path& file, int number) {
  fail("{}: the folder cannot be locked: {}", shown(file.parent_path()), reason(number));
}

/// Makes the file with the record in it, if there is none of that name.
bool create(const fs::path& file, const std::string& record) {
  static std::atomic<unsigned> counter{0};
  const auto temporary =
      file.parent_path() /
      fmt::format(".tmp-{}-{}-{}", file.filename().string().substr(0, 120), this_process().str(), counter++);
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) fail_to_lock(file, errno);
  if (!write_whole(descriptor, record)) {
    const int number = errno;
    ::unlink(temporary.c_str());
    fail_to_lock(file, number);
  }
  const int linked = ::link(temporary.c_str(), file.c_str());
  const int number = errno;
  ::unlink(temporary.c_str());
  // A network may have asked twice and heard the second answer, or have lost an answer: the file itself says how it went.
  if (linked == 0 || read_claim(file) == record) return true;
  if (number == EEXIST) return false;
  // A file system without links: between making and writing the file says nothing, and is watched as any other.
  const int made = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (made < 0 && errno == EEXIST) return read_claim(file) == record;
  if (made < 0) fail_to_lock(file, errno);
  if (write_whole(made, record)) return true;
  const int why = errno;
  ::unlink(file.c_str());
  fail_to_lock(file, why);
}

Record own_record() {
  const auto process = this_process();
  return {fmt::format("process {} on {} since {}", process.number, host_name(), time_text()), fresh_token(),
          process.str()};
}

/// Removes the claim that bears `token`, if it still is there and no other process is about to. True: it was removed, here.
bool remove(const fs::path& file, const std::string& token, ClaimWatch& watch, int depth = 0) {
  if (depth >= most_tickets) return false;
  auto ticket = file;
  ticket += "." + (token.empty() ? std::string("none") : token);
  const auto began = Clock::now();
  const auto mine = own_record().str();
  if (!create(ticket, mine)) {
    const auto other = read_claim(ticket);
    if (!other) return false;
    if (watch.sign(ticket, *other) == ClaimWatch::Sign::dead)
      remove(ticket, Record::parse(*other).token, watch, depth + 1);
    return false;  // the next time, perhaps
  }
  const auto there = read_claim(file);
  bool removed = false;
  // (One that slept in between may have lost its ticket.)
  if (there && Record::parse(*there).token == token && Clock::now() - began < watch.times().stale / 2)
    removed = ::unlink(file.c_str()) == 0;
  ::unlink(ticket.c_str());
  return removed;
}

}  // namespace

ClaimWatch::Sign ClaimWatch::sign(const fs::path& claim, const std::string& record) {
  if (times_.know_processes)
    if (const auto process = ProcessName::parse(Record::parse(record).process))
      if (const auto life = life_of(*process); life != Life::unknown)
        return life == Life::alive ? Sign::alive : Sign::dead;
  const auto now = Clock::now();
  const auto [known, fresh] = seen_.try_emplace(claim, Seen{record, now});
  auto& seen = known->second;
  if (fresh) return Sign::unknown;
  if (seen.record != record) {
    // Another holder has shown no heartbeat yet.
    const bool same_holder = Record::parse(seen.record).token == Record::parse(record).token;
    seen = {record, now, same_holder};
    return same_holder ? Sign::alive : Sign::unknown;
  }
  if (now - seen.since >= times_.stale) return Sign::dead;
  return seen.beats ? Sign::alive : Sign::unknown;
}

/// The record of a claim that is held, and the thread that counts up its heartbeat.
struct Claim::State {
  State(fs::path path, Record first, ClaimTimes given)
      : file(std::move(path)), record(std::move(first)), times(given), last_sign(Clock::now()) {
    beating = std::jthread([this](const std::stop_token& stop) { beat(stop); });
  }
  ~State() {
    beating = {};  // asks it to stop, and waits
    try {
      // Nobody can have thought it dead where it has just given a sign; else another may be about to remove it.
      if (Clock::now() - last_sign >= times.stale / 2) {
        ClaimWatch watch(times);
        storage::remove(file, record.token, watch);
      } else if (!is_of_another()) {
        ::unlink(file.c_str());
      }
    } catch (const std::exception&) {
      // It cannot be read: the next who wants it finds its holder dead.
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  bool is_mine() const {
    const auto there = read_claim(file);
    return there && Record::parse(*there).token == record.token;
  }
  bool is_of_another() const {
    const auto there = read_claim(file);
    return there && Record::parse(*there).token != record.token;
  }

  void beat(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, stop, times.beat, [&] { return stop.stop_requested(); }) &&
           !stop.stop_requested())
      give_sign();
  }
  void give_sign() {
    try {
      const auto now = Clock::now();
      // Opened anew, so that a network's file system asks the server, and writes when it is closed.
      const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
      if (descriptor < 0) return;
      std::array<char, record_size> text{};
      const auto got = ::pread(descriptor, text.data(), text.size(), 0);
      const bool mine = got > 0 && Record::parse({text.data(), std::size_t(got)}).token == record.token;
      ++record.beat;
      if (!mine) {
        ::close(descriptor);
      } else if (write_whole(descriptor, record.str())) {
        last_sign = now;
      }
    } catch (const std::exception&) {
      // The next one may succeed.
    }
  }

  const fs::path file;
  Record record;
  const ClaimTimes times;
  Clock::time_point last_sign;  // of the beating thread, and after it has ended of the destructor
  std::jthread beating;
};

Claim::Claim(std::unique_ptr<State> state) : state_(std::move(state)) {}
Claim::Claim(Claim&&) noexcept = default;
Claim::~Claim() = default;

bool Claim::held() const { return state_->is_mine(); }

std::optional<Claim> Claim::take(const fs::path& file, ClaimWatch& watch) {
  for (int tries = 0; tries < 8; ++tries) {
    if (const auto there = read_claim(file)) {
      if (watch.sign(file, *there) != ClaimWatch::Sign::dead) return std::nullopt;
      if (!storage::remove(file, Record::parse(*there).token, watch)) continue;
    }
    auto record = own_record();
    if (create(file, record.str()))
      return Claim(std::make_unique<State>(file, std::move(record), watch.times()));
  }
  return std::nullopt;
}

std::optional<std::string> holder_of(const fs::path& claim) {
  const auto there = read_claim(claim);
  if (!there) return std::nullopt;
  const auto holder = first_line(*there);
  return holder.empty() ? "another process" : printable(holder);
}

bool is_dead_claim(const fs::path& claim) {
  ClaimWatch watch;
  const auto there = read_claim(claim);
  return there &&
         (Record::parse(*there).token.empty() || watch.sign(claim, *there) == ClaimWatch::Sign::dead);
}

void remove_dead_claim(const fs::path& claim) {
  ClaimWatch watch;
  if (!is_dead_claim(claim)) return;
  if (const auto there = read_claim(claim)) storage::remove(claim, Record::parse(*there).token, watch);
}

namespace {

void make_folder(const fs::path& folder) {
  std::error_code error, ignored;
  fs::create_directories(folder, error);
  if (error && !fs::is_directory(folder, ignored))
    fail("{}: the folder cannot be created: {}", shown(folder), error.message());
}

/// Those that killed processes left. Each is for another token than the claim's that is held, and those never return.
void remove_tickets(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().filename().string().starts_with(".lock.")) ::unlink(it->path().c_str());
}

[[noreturn]] void fail_in_use(const fs::path& folder, const fs::path& file) {
  throw InUse(fmt::format("{} is in use by {}", shown(folder), holder_of(file).value_or("another process")));
}

}  // namespace

bool is_free(const fs::path& folder, ClaimWatch& watch) {
  const auto there = read_claim(folder / ".lock");
  return !there || watch.sign(folder / ".lock", *there) == ClaimWatch::Sign::dead;
}

bool is_unknown(const fs::path& folder, ClaimWatch& watch) {
  const auto there = read_claim(folder / ".lock");
  return there && watch.sign(folder / ".lock", *there) == ClaimWatch::Sign::unknown;
}

FolderLock::FolderLock(const fs::path& folder, const std::function<void(const std::string&)>& waiting)
    : folder_(folder) {
  make_folder(folder);
  const auto file = folder / ".lock";
  ClaimWatch watch;
  for (bool told = false;;) {
    if (auto taken = Claim::take(file, watch)) {
      claim_.emplace(std::move(*taken));
      remove_tickets(folder);
      return;
    }
    const auto there = read_claim(file);
    if (!there) continue;
    const auto sign = watch.sign(file, *there);
    if (sign == ClaimWatch::Sign::alive) fail_in_use(folder, file);
    if (sign == ClaimWatch::Sign::unknown && !std::exchange(told, true) && waiting)
      waiting(holder_of(file).value_or("another process"));
    throw_if_stopped();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

FolderLock::FolderLock(const fs::path& folder, ClaimWatch& watch) : folder_(folder) {
  make_folder(folder);
  auto taken = Claim::take(folder / ".lock", watch);
  if (!taken) fail_in_use(folder, folder / ".lock");
  claim_.emplace(std::move(*taken));
  remove_tickets(folder);
}

void FolderLock::require_held() const {
  if (claim_->held()) return;
  fail("{}: {} has taken it over, since this process gave no sign for a minute; nothing more is written",
       shown(folder_), holder_of(folder_ / ".lock").value_or("another process"));
}

}  // namespace timbre::storage
