#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <set>

#include "core/error.hpp"
#include "storage/atomic_file.hpp"
#include "storage/claim.hpp"
#include "storage/hdf5.hpp"
#include "temporary_folder.hpp"

namespace timbre::storage {
namespace {

using test::bytes_of;
using test::message_of;
using test::TemporaryFolder;

std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) out.insert(entry.path().filename());
  return out;
}

/// A process that does `work`, says so, and waits to be killed.
class Child {
 public:
  explicit Child(const std::function<void()>& work) {
    int ready[2];
    if (pipe(ready) != 0) throw std::runtime_error("no pipe");
    id_ = fork();
    if (id_ == 0) {
      work();
      [[maybe_unused]] const auto said = ::write(ready[1], "x", 1);
      for (;;) pause();
    }
    char c;
    ::close(ready[1]);
    ready_ = ::read(ready[0], &c, 1) == 1;
    ::close(ready[0]);
  }
  ~Child() { end(); }
  bool ready() const { return ready_; }
  pid_t id() const { return id_; }
  void end() {
    if (id_ <= 0) return;
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
    id_ = -1;
  }

 private:
  pid_t id_ = -1;
  bool ready_ = false;
};

TEST(AtomicFile, AppearsWholeOnCommitAndNotBefore) {
  const TemporaryFolder folder;
  const auto target = folder / "deep/down/a.txt";
  {
    AtomicFile file(target);
    std::ofstream(file.temporary()) << "new";
    EXPECT_FALSE(std::filesystem::exists(target));
    file.commit();
  }
  EXPECT_EQ(bytes_of(target), "new");
  EXPECT_EQ(names_in(target.parent_path()), std::set<std::string>{"a.txt"});
}

TEST(AtomicFile, LeavesTheEarlierFileIfNotCommitted) {
  const TemporaryFolder folder;
  write_file(folder / "a.txt", "old");
  {
    AtomicFile file(folder / "a.txt");
    std::ofstream(file.temporary()) << "half";
  }
  EXPECT_EQ(bytes_of(folder / "a.txt"), "old");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"a.txt"});
}

TEST(AtomicFile, CarriesAnHdf5File) {
  const TemporaryFolder folder;
  AtomicFile atomic(folder / "a.h5");
  auto file = H5File::create(atomic.temporary());
  file.attribute("/", "x", std::int64_t{3});
  file.close();
  atomic.commit();
  EXPECT_EQ(H5File::open(folder / "a.h5").int_attribute("/", "x"), 3);
}

TEST(AtomicFile, WritesWholeTexts) {
  const TemporaryFolder folder;
  const std::string text(3000000, 'y');
  write_file(folder / "a.txt", "longer than nothing");
  write_file(folder / "a.txt", text);
  EXPECT_EQ(bytes_of(folder / "a.txt"), text);
  write_file(folder / "a.txt", "");
  EXPECT_EQ(bytes_of(folder / "a.txt"), "");
}

TEST(AtomicFile, NamesWhatCannotBeWritten) {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "x";
  EXPECT_NE(message_of<Error>([&] {
              AtomicFile(folder / "file/a.txt");
            }).find("file: the folder cannot be created"),
            std::string::npos);
  std::filesystem::create_directory(folder / "dir");
  EXPECT_NE(message_of<Error>([&] { AtomicFile(folder / "dir"); }).find("is a folder"), std::string::npos);
  EXPECT_NE(message_of<Error>([&] { AtomicFile("/proc/timbre-test.txt"); }), "no error");
  EXPECT_NE(message_of<Error>([&] { write_file(folder / std::string(300, 'n'), "x"); }).find("too long"),
            std::string::npos);
}

TEST(AtomicFile, LeavesDevicesAloneAndFollowsLinks) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(AtomicFile(folder / "pipe"), Error);
  EXPECT_THROW(AtomicFile("/dev/null"), Error);
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
  write_file(folder / "file", "old");
  std::filesystem::create_symlink("file", folder / "link");
  write_file(folder / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(bytes_of(folder / "file"), "new");
}

TEST(AtomicFile, ATemporaryOfADeadWriterIsRemovedAndOfALivingOneKept) {
  const TemporaryFolder folder;
  const auto target = folder / "a.txt";
  const auto begin = [&] { std::ofstream((new AtomicFile(target))->temporary()) << "half"; };
  Child alive(begin), dead(begin);
  ASSERT_TRUE(alive.ready() && dead.ready());
  ASSERT_EQ(names_in(folder.path()).size(), 2u);
  dead.end();
  ASSERT_EQ(names_in(folder.path()).size(), 2u);
  write_file(folder / "other.txt", "not the same file: it leaves them alone");
  EXPECT_EQ(names_in(folder.path()).size(), 3u);
  write_file(target, "mine");
  const auto names = names_in(folder.path());
  EXPECT_EQ(names.size(), 3u);
  EXPECT_TRUE(names.begin()->starts_with(".tmp-a.txt-" + std::to_string(alive.id()) + "-")) << *names.begin();
  alive.end();
  write_file(target, "mine again");
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"a.txt", "other.txt"}));
}

TEST(PutAside, KeepsWhatWasPutAsideBefore) {
  const TemporaryFolder folder;
  const auto file = folder / "x.h5";
  for (int i = 1; i <= 10; ++i) {
    write_file(file, std::to_string(i));
    const auto name = put_aside(file);
    EXPECT_EQ(name, i == 1 ? "damaged-x.h5" : "damaged-" + std::to_string(std::min(i, 9)) + "-x.h5");
    EXPECT_FALSE(std::filesystem::exists(file));
  }
  EXPECT_EQ(read_own_file(folder / "damaged-x.h5"), "1");
  EXPECT_EQ(read_own_file(folder / "damaged-9-x.h5"), "10");
}

TEST(FolderLock, TellsWhoHoldsAFolder) {
  const TemporaryFolder folder;
  const auto run = folder / "runs/lstm";
  Child holder([&] { new FolderLock(run); });
  ASSERT_TRUE(holder.ready());
  const auto message = message_of<Error>([&] { FolderLock{run}; });
  EXPECT_EQ(message.find(run.string() + " is in use by process " + std::to_string(holder.id()) + " on "), 0u)
      << message;
  EXPECT_NE(message.find(" since "), std::string::npos);
}

TEST(FolderLock, OfAKilledProcessCountsForNothing) {
  const TemporaryFolder folder;
  Child holder([&] { new FolderLock(folder.path()); });
  ASSERT_TRUE(holder.ready());
  holder.end();
  EXPECT_TRUE(std::filesystem::exists(folder / ".lock"));
  EXPECT_NO_THROW(FolderLock{folder.path()});
  EXPECT_FALSE(std::filesystem::exists(folder / ".lock"));
}

TEST(FolderLock, ExcludesWithinAProcessAndMoves) {
  const TemporaryFolder folder;
  {
    FolderLock first(folder.path());
    FolderLock second(std::move(first));
    EXPECT_THROW(FolderLock{folder.path()}, Error);
  }
  EXPECT_NO_THROW(FolderLock{folder.path()});
}

}  // namespace
}  // namespace timbre::storage
