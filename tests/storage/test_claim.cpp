// Claims: one holder at a time, whoever asks, on however many machines; a dead one is followed by one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "storage/atomic_file.hpp"
#include "storage/claim.hpp"
#include "storage/process_name.hpp"
#include "temporary_folder.hpp"

namespace timbre::storage {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::bytes_of;
using test::message_of;
using test::TemporaryFolder;

// As processes of other machines see each other, quicker.
constexpr ClaimTimes abroad{20ms, 400ms, false};

/// Numbers that forked processes share.
struct Counters {
  std::atomic<int> inside{0}, entered{0}, violations{0};
};
struct Shared {
  Shared() {
    auto* memory =
        ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
    counters = new (memory) Counters;
  }
  ~Shared() { ::munmap(counters, sizeof(Counters)); }
  Counters* counters;
  /// What must be done by one at a time.
  void work() const {
    if (counters->inside.fetch_add(1) != 0) ++counters->violations;
    ++counters->entered;
    std::this_thread::yield();
    counters->inside.fetch_sub(1);
  }
};

pid_t start(const std::function<void()>& work) {
  const auto id = ::fork();
  if (id == 0) {
    try {
      work();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
      ::_exit(1);
    }
    ::_exit(0);
  }
  return id;
}

/// 1,000 acquisitions by 8 processes; each second one sees the folder as `other`.
void contend(const fs::path& folder, const fs::path& other,
             const std::function<void(const fs::path&)>& acquire) {
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i)
    children.push_back(start([&, i] {
      for (int n = 0; n < 125; ++n) acquire(i % 2 == 0 ? folder : other);
    }));
  for (const auto id : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(id, &status, 0), id);
    EXPECT_EQ(status, 0);
  }
}

void with_claim(const Shared& shared, const fs::path& folder, ClaimTimes times) {
  ClaimWatch watch(times);
  const auto limit = std::chrono::steady_clock::now() + 100s;
  for (;;) {
    if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("a claim is never free");
    if (const auto claim = Claim::take(folder / "it.lock", watch)) return shared.work();
    std::this_thread::sleep_for(1ms);
  }
}

void with_flock(const Shared& shared, const fs::path& folder) {
  const int descriptor = ::open((folder / "flock").c_str(), O_RDWR | O_CREAT, 0666);
  if (descriptor < 0 || ::flock(descriptor, LOCK_EX) != 0) throw std::runtime_error("no lock");
  shared.work();
  std::this_thread::sleep_for(200us);
  ::close(descriptor);
}

std::size_t count_in(const fs::path& folder) {
  return std::size_t(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(Claim, IsHeldByOneAtATime) {
  const TemporaryFolder folder;
  const Shared shared;
  contend(folder.path(), folder.path(), [&](const auto& where) { with_claim(shared, where, {}); });
  EXPECT_EQ(shared.counters->entered, 1000);
  EXPECT_EQ(shared.counters->violations, 0);
  EXPECT_EQ(count_in(folder.path()), 0u) << "nothing is left";
}

/// Two mounts of one folder, which know as little of each other as two machines.
class TwoMounts {
 public:
  explicit TwoMounts(const fs::path& root) {
    fs::create_directories(root / "server");
    for (const auto* name : {"a", "b"}) {
      const auto at = root / name;
      fs::create_directories(at);
      const auto line = "bindfs '" + (root / "server").string() + "' '" + at.string() + "' 2>/dev/null";
      if (std::system(line.c_str()) != 0) return;
      mounted_.push_back(at);
    }
  }
  ~TwoMounts() {
    for (const auto& at : mounted_)
      if (std::system(("fusermount -u '" + at.string() + "' 2>/dev/null || umount -l '" + at.string() + "'")
                          .c_str()) != 0)
        std::fprintf(stderr, "%s stays mounted\n", at.c_str());
  }
  bool ready() const { return mounted_.size() == 2; }
  const fs::path& operator[](std::size_t i) const { return mounted_[i]; }

 private:
  std::vector<fs::path> mounted_;
};

TEST(Claim, IsHeldByOneAtATimeOnASharedFileSystemWhereFlockIsNot) {
  if (!fs::exists("/dev/fuse")) GTEST_SKIP() << "there is no /dev/fuse here";
  const TemporaryFolder folder;
  const TwoMounts mounts(folder.path());
  if (!mounts.ready()) GTEST_SKIP() << "bindfs is not installed, or may not mount here";
  const Shared shared, control;
  contend(mounts[0], mounts[1], [&](const auto& where) { with_claim(shared, where, {}); });
  EXPECT_EQ(shared.counters->entered, 1000);
  EXPECT_EQ(shared.counters->violations, 0);
  contend(mounts[0], mounts[1], [&](const auto& where) { with_flock(control, where); });
  EXPECT_GT(control.counters->violations, 0) << "these mounts would not have shown a violation";
  std::printf("flock: %d violations of 1,000; claims: none\n", control.counters->violations.load());
}

TEST(Claim, OfAKilledProcessOfThisMachineIsFreeAtOnce) {
  const TemporaryFolder folder;
  const auto file = folder / "it.lock";
  const auto holder = start([&] {
    ClaimWatch watch;
    const auto claim = Claim::take(file, watch);
    for (;;) ::pause();
  });
  while (!fs::exists(file)) std::this_thread::sleep_for(1ms);
  ClaimWatch watch;
  EXPECT_FALSE(Claim::take(file, watch));
  ::kill(holder, SIGKILL);
  // (It is not waited for: a process that has ended holds nothing.)
  std::optional<Claim> taken;
  for (int n = 0; n < 5000 && !taken; ++n) {
    if (auto claim = Claim::take(file, watch)) taken.emplace(std::move(*claim));
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_TRUE(taken);
  ::waitpid(holder, nullptr, 0);
}

TEST(Claim, OfADeadHolderElsewhereIsTakenOverOnceByOne) {
  for (int trial = 0; trial < 3; ++trial) {
    const TemporaryFolder folder;
    const auto file = folder / "it.lock";
    const auto holder = start([&] {
      ClaimWatch watch(abroad);
      const auto claim = Claim::take(file, watch);
      for (;;) ::pause();
    });
    while (!fs::exists(file)) std::this_thread::sleep_for(1ms);
    ::kill(holder, SIGKILL);
    ::waitpid(holder, nullptr, 0);
    const Shared shared;
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i)
      children.push_back(start([&] {
        ClaimWatch watch(abroad);
        const auto until = std::chrono::steady_clock::now() + 1500ms;
        while (std::chrono::steady_clock::now() < until) {
          if (const auto claim = Claim::take(file, watch)) {
            shared.work();
            for (;;) ::pause();  // holds it, alive
          }
          std::this_thread::sleep_for(1ms);
        }
      }));
    std::this_thread::sleep_for(1700ms);
    EXPECT_EQ(shared.counters->entered, 1) << "one took it, and was then seen alive by all others";
    for (const auto id : children) ::kill(id, SIGKILL), ::waitpid(id, nullptr, 0);
  }
}

TEST(Claim, OfALivingHolderElsewhereIsLeftAloneWhateverTheClocksSay) {
  const TemporaryFolder folder;
  const auto file = folder / "it.lock";
  ClaimWatch own(abroad), other(abroad);
  const auto claim = Claim::take(file, own);
  ASSERT_TRUE(claim);
  // Clocks that are ten minutes slow or fast: what the file system says of times counts for nothing.
  for (const auto minutes : {-10, 10}) {
    const auto until = std::chrono::steady_clock::now() + 2 * abroad.stale;
    while (std::chrono::steady_clock::now() < until) {
      fs::last_write_time(file, fs::file_time_type::clock::now() + std::chrono::minutes(minutes));
      ASSERT_FALSE(Claim::take(file, other));
      std::this_thread::sleep_for(5ms);
    }
  }
  EXPECT_EQ(other.sign(file, bytes_of(file)), ClaimWatch::Sign::alive);
  EXPECT_TRUE(claim->held());
}

TEST(Claim, OfADeadHolderElsewhereIsTakenOverWhateverTheClocksSay) {
  const TemporaryFolder folder;
  const auto file = folder / "it.lock";
  const auto text = [] {
    const TemporaryFolder elsewhere;
    ClaimWatch watch(abroad);
    const auto claim = Claim::take(elsewhere / "x", watch);
    return bytes_of(elsewhere / "x");
  }();
  for (const auto minutes : {-10, 0, 10}) {
    write_file(file, text);
    fs::last_write_time(file, fs::file_time_type::clock::now() + std::chrono::minutes(minutes));
    ClaimWatch watch(abroad);
    const auto began = std::chrono::steady_clock::now();
    while (!Claim::take(file, watch)) std::this_thread::sleep_for(5ms);
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_GE(took, abroad.stale);
    EXPECT_LT(took, 10 * abroad.stale);
  }
}

TEST(Claim, ThatWasLostIsKnownToHimWhoSlept) {
  const TemporaryFolder folder;
  const auto file = folder / "it.lock";
  ClaimWatch own({1h, 1h, false}), other(abroad);  // one that gives no sign
  {
    auto slept = Claim::take(file, own);
    ASSERT_TRUE(slept);
    std::optional<Claim> taken;
    while (!taken) {
      if (auto claim = Claim::take(file, other)) taken.emplace(std::move(*claim));
      std::this_thread::sleep_for(5ms);
    }
    EXPECT_FALSE(slept->held());
    EXPECT_TRUE(taken->held());
    slept.reset();
    EXPECT_TRUE(taken->held()) << "who lost it does not take it from the next";
  }
  EXPECT_FALSE(fs::exists(file));
}

TEST(Claim, TicketsOfKilledProcessesStopNobody) {
  const TemporaryFolder folder;
  const auto record = [&](const char* name) {  // of a process that is dead
    const auto id = start([&] {
      ClaimWatch watch;
      const auto claim = Claim::take(folder / name, watch);
      ::raise(SIGKILL);
    });
    ::waitpid(id, nullptr, 0);
    return bytes_of(folder / name);
  };
  const auto file = folder / "it.lock";
  const auto token = [](const std::string& text) { return text.substr(text.find("token ") + 6, 16); };
  const auto claim = record("it.lock"), ticket = record("ticket");
  fs::remove(folder / "ticket");
  write_file(folder / ("it.lock." + token(claim)), ticket);  // killed while it took over
  ClaimWatch watch;
  EXPECT_TRUE(Claim::take(file, watch));
}

TEST(Claim, SaysNothingOfAFileThatIsNone) {
  const TemporaryFolder folder;
  ClaimWatch watch;
  fs::create_symlink("elsewhere", folder / "link");
  EXPECT_THROW(Claim::take(folder / "link", watch), Error);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(Claim::take(folder / "pipe", watch), Error);
  // What an earlier version or a damaged disk left: it is watched as a claim of another machine.
  write_file(folder / "old", "process 1 on n1 since 2026-01-31 12:00:00");
  EXPECT_FALSE(Claim::take(folder / "old", watch));
  EXPECT_EQ(holder_of(folder / "old"), "process 1 on n1 since 2026-01-31 12:00:00");
  ClaimWatch quick(abroad);
  EXPECT_FALSE(Claim::take(folder / "old", quick));
  std::this_thread::sleep_for(abroad.stale + 10ms);
  EXPECT_TRUE(Claim::take(folder / "old", quick));
}

TEST(ProcessName, TellsALivingProcessFromADeadOneAndFromItsSuccessor) {
  const auto own = this_process();
  EXPECT_EQ(ProcessName::parse(own.str())->str(), own.str());
  EXPECT_EQ(life_of(own), Life::alive);
  EXPECT_EQ(life_of({own.number, own.machine, own.start + 1}), Life::dead);
  EXPECT_EQ(life_of({own.number, "0123456789abcdef", own.start}), Life::unknown);
  for (const auto* wrong : {"", "1", "1-2-3", "-0123456789abcdef-5", "1-0123456789abcdeg-5",
                            "x-0123456789abcdef-5", "1-0123456789abcdef-"})
    EXPECT_FALSE(ProcessName::parse(wrong)) << wrong;
  const auto child = start([] {});
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(life_of({child, own.machine, 0}), Life::dead);
}

TEST(AtomicFile, TemporariesOfOtherMachinesAreRemovedAfterADay) {
  const TemporaryFolder folder;
  const auto young = folder / ".tmp-a.txt-1-0123456789abcdef-5-0",
             old = folder / ".tmp-a.txt-2-0123456789abcdef-5-0";
  write_file(folder / "a.txt", "x");
  std::ofstream(young) << "x", std::ofstream(old) << "x";
  fs::last_write_time(old, fs::file_time_type::clock::now() - 25h);
  write_file(folder / "a.txt", "y");
  EXPECT_TRUE(fs::exists(young));
  EXPECT_FALSE(fs::exists(old));
  EXPECT_EQ(count_in(folder.path()), 2u);
}

}  // namespace
}  // namespace timbre::storage
