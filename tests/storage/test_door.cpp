// What happens to the process that reads a stranger's file: it is one line here, and this process goes on.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "storage/door.hpp"
#include "storage/hdf5.hpp"
#include "temporary_folder.hpp"

namespace timbre::storage {

struct Point {
  double x = 0;
  std::string name;
};
template <class A>
void travel(A& parcel, Point& p) {
  parcel(p.x, p.name);
}

namespace {

using test::bytes_of;
using test::message_of;
using test::TemporaryFolder;

class Door : public testing::Test {
 protected:
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "a.h5";
  void SetUp() override {
    auto h5 = H5File::create(file);
    h5.write("/data", std::vector<float>{1, 2, 3}, {3});
    h5.close();
  }

  template <class Read>
  std::string complaint(Read read) {
    return message_of<Damaged>([&] { read_behind_door(file, {}, read); });
  }
};

TEST_F(Door, BringsEveryKindOfValue) {
  EXPECT_EQ(read_behind_door(file, {}, [] { return std::string("text"); }), "text");
  EXPECT_EQ(read_behind_door(file, {}, [] { return std::string(); }), "");
  EXPECT_EQ(read_behind_door(file, {}, [&] { return H5File::open(file).read_floats("/data"); }),
            (std::vector<float>{1, 2, 3}));
  std::vector<float> many(5'000'000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = float(i % 1013);
  EXPECT_EQ(read_behind_door(file, {}, [&] { return many; }), many);
  using Mixed = std::vector<std::pair<std::string, std::optional<Point>>>;
  const auto mixed = read_behind_door(file, {}, [] {
    return Mixed{{"none", std::nullopt}, {"one", Point{0.5, std::string(100'000, 'p')}}};
  });
  ASSERT_EQ(mixed.size(), 2u);
  EXPECT_FALSE(mixed[0].second);
  EXPECT_EQ(mixed[1].second->x, 0.5);
  EXPECT_EQ(mixed[1].second->name.size(), 100'000u);
}

TEST_F(Door, IsTakenByStrangersAndByWhatHasNoChecksum) {
  const auto here = ::getpid();
  const auto reader = [] { return std::int64_t(::getpid()); };
  EXPECT_NE(read_behind_door(file, {}, reader), here);
  EXPECT_EQ(read_behind_door(file, own_file, reader), here);
  const auto bytes = bytes_of(file);
  std::ofstream(folder / "old.h5", std::ios::binary) << bytes.substr(512);
  EXPECT_NE(read_behind_door(folder / "old.h5", own_file, reader), here);
}

TEST_F(Door, ClosesWhatTheParentHasOpen) {
  const auto names_open = [] {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
      if (std::error_code gone; true)
        if (auto name = std::filesystem::read_symlink(entry.path(), gone).string(); name.ends_with(".log"))
          out.push_back(name);
    return out;
  };
  const std::ofstream before(folder / "before.log"), log(folder / "run.log");
  ASSERT_EQ(names_open().size(), 2u);
  EXPECT_EQ(read_behind_door(file, {}, names_open), std::vector<std::string>{});
}

TEST_F(Door, ReadsAFileThatTheParentHasOpen) {
  const auto mine = H5File::open(file);
  const auto values = [&] { return H5File::open(file).read_floats("/data"); };
  EXPECT_EQ(read_behind_door(file, {}, values), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(mine.read_floats("/data"), (std::vector<float>{1, 2, 3}));
}

TEST_F(Door, IsTakenByFilesOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file to another user";
  ASSERT_EQ(::chown(file.c_str(), 12345, gid_t(-1)), 0);
  const auto reader = [] { return std::int64_t(::getpid()); };
  EXPECT_NE(read_behind_door(file, own_file, reader), ::getpid());
}

TEST_F(Door, RefusesWhatHasChangedUnlessAskedTo) {
  auto bytes = bytes_of(file);
  bytes[bytes.size() - 1] ^= 1;
  std::ofstream(file, std::ios::binary) << bytes;
  const auto data = [&] { return H5File::open(file).read_floats("/data").size(); };
  const auto name = file.string() + ": has changed since Timbre wrote it: its checksum does not fit";
  EXPECT_EQ(complaint(data), name + "; --unverified reads it all the same");
  EXPECT_EQ(message_of<Damaged>([&] { read_behind_door(file, own_file, data); }), name);
  EXPECT_EQ(read_behind_door(file, {.unverified = true}, data), 3u);
}

TEST_F(Door, CarriesErrorsAsTheyAre) {
  const auto thrown = [&](auto error) { return [error]() -> int { throw error; }; };
  EXPECT_EQ(message_of<RequestError>([&] { read_behind_door(file, {}, thrown(RequestError("asked"))); }),
            "asked");
  EXPECT_EQ(complaint(thrown(Damaged("damaged"))), "damaged");
  try {
    read_behind_door(file, {}, thrown(Error("failed")));
    FAIL();
  } catch (const RequestError&) {
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "failed");
  }
  EXPECT_EQ(message_of<Error>([&] { read_behind_door(file, {}, thrown(std::out_of_range("a\nb"))); }),
            file.string() + ": cannot be read: a\\x0ab");
  EXPECT_EQ(message_of<RequestError>([&] { read_behind_door(folder / "none", {}, thrown(0)); }),
            (folder / "none").string() + ": no such file");
}

TEST_F(Door, ACrashIsOneLine) {
  for (const int number : {SIGSEGV, SIGABRT, SIGFPE, SIGKILL}) {
    const auto message = complaint([number]() -> int {
      ::signal(number, SIG_DFL);
      ::raise(number);
      return 0;
    });
    EXPECT_EQ(message, file.string() + ": cannot be read: its reader crashed (SIG" + sigabbrev_np(number) +
                           "); it is damaged, or made to do harm");
  }
  EXPECT_NE(complaint([]() -> int { ::_exit(0); }).find("its reader broke off"), std::string::npos);
}

TEST_F(Door, WhatNeverEndsIsEnded) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_NE(complaint([]() -> int {
              for (std::atomic<int> i = 0;; ++i) {
              }
            }).find("takes longer than 4 s"),
            std::string::npos);
  EXPECT_NE(complaint([]() -> int {
              for (;;) ::pause();
            }).find("takes longer than 4 s"),
            std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST_F(Door, MemoryHasAnEnd) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers take more address space than could be limited";
#endif
  EXPECT_NE(complaint([] {
              return std::vector<char>(std::size_t{2} << 30, 'x');
            }).find("asks for more memory than a file of its size may (256 MB)"),
            std::string::npos);
  EXPECT_NE(
      complaint([] { return std::vector<char>(std::size_t{1} << 62, 'x'); }).find("asks for more memory"),
      std::string::npos);
}

TEST_F(Door, SeveralThreadsMayTakeIt) {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
#if defined(__SANITIZE_ADDRESS__)
  // A child of AddressSanitizer's waits for ever for a lock of its allocator that another thread held at the fork
  // (glibc's allocator frees its own): here the threads take turns.
  std::mutex turn;
#endif
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
#if defined(__SANITIZE_ADDRESS__)
        const std::lock_guard mine(turn);
#endif
        right +=
            read_behind_door(file, {}, [&] { return H5File::open(file).read_floats("/data").size(); }) == 3 &&
            H5File::open(file).read_floats("/data").size() == 3;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 100);
}

}  // namespace
}  // namespace timbre::storage
