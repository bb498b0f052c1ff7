// Disks that are full or may not be written: one clear line, the earlier state whole, and on it goes once there is room.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "robustness/support.hpp"

namespace timbre::robustness {
namespace {

using end_to_end::last_line;

// A file whose write the disk refused stays open until the process ends, on purpose: HDF5 crashes when it closes it.
// The leak checker, which counts that, is off for the processes these tests start.
void leave_refused_files_open() {
#ifdef __SANITIZE_ADDRESS__
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
#endif
}

// A small file system in memory; only root can have one.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& folder) : folder_(folder) {
    fs::create_directories(folder_);
    mounted_ = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=64m") == 0;
    if (!mounted_) reason_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  const std::string& reason() const { return reason_; }
  std::int64_t used_bytes() const {
    struct statvfs s {};
    statvfs(folder_.c_str(), &s);
    return std::int64_t(s.f_blocks - s.f_bfree) * std::int64_t(s.f_frsize);
  }
  bool resize(std::int64_t bytes) { return remount(0, "size=" + std::to_string(bytes)); }
  bool read_only(bool on) { return remount(on ? MS_RDONLY : 0, ""); }

 private:
  bool remount(unsigned long flags, const std::string& data) {
    return ::mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT | flags, data.c_str()) == 0;
  }
  fs::path folder_;
  bool mounted_ = false;
  std::string reason_;
};

// One line about it, with the command's name and the system's reason; nothing of HDF5's own.
void expect_complaint(const std::string& err, const std::string& reason) {
  const auto line = last_line(err);
  EXPECT_EQ(line.find("run_experiment: "), 0u) << err;
  EXPECT_NE(line.find(reason), std::string::npos) << err;
  EXPECT_EQ(line.find(".tmp-"), std::string::npos) << err;
  std::size_t mentions = 0;
  for (auto at = err.find(reason); at != std::string::npos; at = err.find(reason, at + 1)) ++mentions;
  EXPECT_EQ(mentions, 1u) << err;
  EXPECT_EQ(err.find("could not be closed"), std::string::npos) << err;
}

class Disk : public testing::Test {
 protected:
  const end_to_end::TemporaryFolder root;
  const fs::path place = root / "disk", whole = root / "whole/run/result.h5", run = place / "run";
  SmallDisk disk{place};

  void SetUp() override {
    leave_refused_files_open();
    if (!disk.mounted()) GTEST_SKIP() << "no small file system can be mounted here: " << disk.reason();
    end_to_end::write_file(root / "run.yaml", small_run());
    fs::create_directory(root / "whole");
    ASSERT_EQ(go(root / "whole").status, 0);
  }
  end_to_end::Outcome go(const fs::path& folder, const std::string& seconds = "60") const {
    return end_to_end::run_process(
        {run_experiment(), "../run.yaml", "--out", "run", "--checkpoint-seconds", seconds},
        {.folder = folder});
  }
  void expect_whole() {
    const auto last = go(place);
    ASSERT_EQ(last.status, 0) << last.err;
    EXPECT_EQ(differences(run / "result.h5", whole), std::vector<std::string>{});
    EXPECT_EQ(files_below(place), files_below(root / "whole"));
  }
};

TEST_F(Disk, ThatIsFullEndsEveryStageWithOneLineAndLosesNothing) {
  // From too small for anything to just enough: the room ends in the rows, in the store, in checkpoints, in the result.
  int failed = 0, size = 0;
  for (const auto step : {100, 300, 500, 600, 700, 800, 900}) {
    size = step * 1024;
    ASSERT_TRUE(disk.resize(size));
    const auto r = go(place, "0");
    if (r.status == 0) break;
    ++failed;
    ASSERT_EQ(r.status, 1) << size << "\n" << r.err;
    expect_complaint(r.err, "No space left on device");
    for (const auto& file : files_below(place))
      EXPECT_EQ(file.filename().string().find(".tmp-"), std::string::npos) << file;
  }
  EXPECT_GE(failed, 3);
  ASSERT_TRUE(disk.resize(64 << 20));
  expect_whole();
}

TEST_F(Disk, ThatFillsUpKeepsTheEarlierCheckpoint) {
  {
    Child child({run_experiment(), "../run.yaml", "--out", "run", "--checkpoint-seconds", "0"}, place);
    ASSERT_TRUE(child.wait_until([&] { return fs::exists(run / "checkpoint.h5"); })) << child.err();
    ASSERT_TRUE(disk.resize(disk.used_bytes()));
    const int status = child.wait();
    // A page or two may have been free while it was measured; then the run may have found room for all it wrote.
    if (status == 0) GTEST_SKIP() << "there was room enough";
    EXPECT_EQ(status, 1);
    expect_complaint(child.err(), "No space left on device");
  }
  ASSERT_TRUE(fs::exists(run / "checkpoint.h5"));
  ASSERT_TRUE(disk.resize(64 << 20));
  const auto last = go(place);
  EXPECT_NE(last.err.find("goes on from a checkpoint"), std::string::npos) << last.err;
  EXPECT_EQ(differences(run / "result.h5", whole), std::vector<std::string>{});
}

TEST_F(Disk, ThatMayNotBeWrittenIsNamed) {
  ASSERT_TRUE(disk.read_only(true));
  auto r = go(place);
  EXPECT_EQ(r.status, 1);
  expect_complaint(r.err, "Read-only file system");

  // The same with features in the store and a run under way.
  ASSERT_TRUE(disk.read_only(false));
  Child child({run_experiment(), "../run.yaml", "--out", "run", "--checkpoint-seconds", "0"}, place);
  ASSERT_TRUE(child.wait_until([&] { return fs::exists(run / "checkpoint.h5"); })) << child.err();
  child.signal(SIGKILL);
  child.wait();
  ASSERT_TRUE(disk.read_only(true));
  r = go(place);
  EXPECT_EQ(r.status, 1);
  expect_complaint(r.err, "Read-only file system");
  ASSERT_TRUE(disk.read_only(false));
  expect_whole();
}

// Without a mount: the system refuses to let any file grow past a limit.
TEST(FileLimit, EndsARunWithOneLineAndLosesNothing) {
  leave_refused_files_open();
  const end_to_end::TemporaryFolder root;
  end_to_end::write_file(root / "run.yaml", small_run());
  const std::vector<std::string> command = {
      run_experiment(), "../run.yaml", "--out", "run", "--checkpoint-seconds", "0"};
  for (const char* name : {"whole", "limited"}) fs::create_directory(root / name);
  ASSERT_EQ(end_to_end::run_process(command, {.folder = root / "whole"}).status, 0);
  // The rows, the store's file, then (with features in the store) a checkpoint: no file may be larger than this.
  for (const std::size_t limit : {200'000, 470'000, 12'000}) {
    if (limit < 100'000)
      fs::copy(root / "whole/runs", root / "limited/runs",
               fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    Child child(command, root / "limited", {}, limit);
    EXPECT_EQ(child.wait(), 1) << child.err();
    expect_complaint(child.err(), "File too large");
    for (const auto& file : files_below(root / "limited"))
      EXPECT_EQ(file.filename().string().find(".tmp-"), std::string::npos) << file;
  }
  const auto last = end_to_end::run_process(command, {.folder = root / "limited"});
  ASSERT_EQ(last.status, 0) << last.err;
  EXPECT_EQ(differences(root / "limited/run/result.h5", root / "whole/run/result.h5"),
            std::vector<std::string>{});
  EXPECT_EQ(files_below(root / "limited"), files_below(root / "whole"));
}

}  // namespace
}  // namespace timbre::robustness
