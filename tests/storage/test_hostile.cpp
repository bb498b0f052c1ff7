// Files made to do harm, with HDF5's own calls: what H5File refuses in any process, each by its name.
#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/stat.h>

#include <fstream>

#include "core/error.hpp"
#include "storage/hdf5.hpp"
#include "temporary_folder.hpp"

namespace timbre::storage {
namespace {

using test::message_of;
using test::TemporaryFolder;

/// Files with links out of them, made before the first H5File takes those away from the library of this process.
struct ExternalLinks {
  const TemporaryFolder folder;
  ExternalLinks() {
    make("other.h5", [](hid_t id) {
      const auto space = H5Screate(H5S_SCALAR);
      const auto set = H5Dcreate2(id, "data", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      H5Dclose(set), H5Sclose(space);
    });
    ::mkfifo((folder / "fifo").c_str(), 0600);
    made = make("link.h5", [&](hid_t id) { link(id, "other.h5"); }) &&
           make("pipe.h5", [&](hid_t id) { link(id, "fifo"); });
  }
  bool made = false;

 private:
  bool link(hid_t id, const char* to) {
    return linked =
               H5Lcreate_external((folder / to).c_str(), "/data", id, "data", H5P_DEFAULT, H5P_DEFAULT) >= 0;
  }
  template <class Work>
  bool make(const char* name, Work work) {
    const auto id = H5Fcreate((folder / name).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    work(id);
    return H5Fclose(id) >= 0 && (std::string_view(name) == "other.h5" || linked);
  }
  bool linked = false;
};
const ExternalLinks links;

class Hostile : public testing::Test {
 protected:
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "a.h5", secret = folder / "secret";
  void SetUp() override {
    std::ofstream(secret) << "root:x:0:0:root:/root:/bin/bash and a little more\n";
    auto other = H5File::create(folder / "other.h5");
    other.write("/data", std::vector<double>{1, 2, 3, 4}, {4});
    other.close();
  }
  /// Makes the file by `work`, which gets its identifier.
  template <class Work>
  void make(Work work) {
    const auto id = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ASSERT_GE(id, 0);
    work(id);
    ASSERT_GE(H5Fclose(id), 0);
  }
  static void dataset(hid_t id, const char* name, hid_t type, std::vector<hsize_t> dims, hid_t list) {
    const auto space = H5Screate_simple(int(dims.size()), dims.data(), nullptr);
    const auto set = H5Dcreate2(id, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    ASSERT_GE(set, 0);
    H5Dclose(set), H5Sclose(space), H5Pclose(list);
  }
  static hid_t chunked(std::vector<hsize_t> chunk) {
    const auto list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, int(chunk.size()), chunk.data());
    return list;
  }
  std::string floats() {
    return message_of<Error>([&] { H5File::open(file).read_floats("/data"); });
  }
  std::string texts() {
    return message_of<Error>([&] { H5File::open(file).read_texts("/data"); });
  }
  std::string named(const std::string& what) const { return file.string() + ": /data: " + what; }
};

TEST_F(Hostile, NoOtherFileIsRead) {
  make([&](hid_t id) {
    const auto list = H5Pcreate(H5P_DATASET_CREATE), type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 10);
    H5Pset_external(list, secret.c_str(), 0, 40);
    dataset(id, "/data", type, {4}, list);
    H5Tclose(type);
  });
  EXPECT_EQ(texts(), named("lies in another file, which is not read"));
  make([&](hid_t id) {
    const hsize_t four = 4;
    const auto space = H5Screate_simple(1, &four, nullptr), list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(list, space, (folder / "other.h5").c_str(), "/data", space);
    dataset(id, "/data", H5T_IEEE_F64LE, {4}, list);
    H5Sclose(space);
  });
  EXPECT_EQ(floats(), named("lies in another file, which is not read"));
  ASSERT_TRUE(links.made);
  const auto link = links.folder / "link.h5", pipe = links.folder / "pipe.h5";
  for (const auto& linked : {link, pipe}) {
    EXPECT_NE(message_of<Error>([&] { H5File::open(linked).read_floats("/data"); }), "no error");
    EXPECT_NE(message_of<Error>([&] { H5File::open(linked).children("/"); }), "no error");
  }
}

TEST_F(Hostile, LinksInsideAreNotFollowedEither) {
  make([&](hid_t id) {
    H5Lcreate_soft("/data", id, "data", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/b", id, "a", H5P_DEFAULT, H5P_DEFAULT),
        H5Lcreate_soft("/a", id, "b", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_EQ(floats(), named("is a link, which is not followed"));
  EXPECT_NE(message_of<Error>([&] { H5File::open(file).read_floats("/a/data"); }).find("/a: is a link"),
            std::string::npos);
}

TEST_F(Hostile, SizesThatWrapAreRefused) {
  // 7378697629483820648 * 3 * 5 = 24 (mod 2^64).
  make([&](hid_t id) {
    dataset(id, "/data", H5T_STD_I32LE, {7378697629483820648u, 3, 5}, chunked({2, 1, 2}));
  });
  EXPECT_EQ(floats(), named("is damaged: it claims to be larger than the file"));
  EXPECT_EQ(message_of<Error>([&] { H5File::open(file).shape("/data"); }),
            named("is damaged: it claims to be larger than the file"));
  make([&](hid_t id) {
    dataset(id, "/data", H5T_STD_I32LE, {1u << 31, 1u << 31, 0}, chunked({1, 1024, 1}));
  });
  EXPECT_EQ(floats(), "no error");  // that many rows of nothing are nothing
}

TEST_F(Hostile, WhatIsNotStoredIsNotMade) {
  const auto too_large = named("is damaged: it claims to be larger than the file");
  make([&](hid_t id) { dataset(id, "/data", H5T_STD_I32LE, {500'000'000}, chunked({1 << 20})); });
  EXPECT_EQ(floats(), too_large);
  make([&](hid_t id) {
    const auto type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    dataset(id, "/data", type, {1'000'000'000}, chunked({1024}));
    H5Tclose(type);
  });
  EXPECT_EQ(texts(), too_large);
  make([&](hid_t id) {
    const auto type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 2'000'000'000);
    dataset(id, "/data", type, {10}, chunked({1}));
    H5Tclose(type);
  });
  EXPECT_EQ(texts(), too_large);
  make([&](hid_t id) {  // 800 MB of zeros in less than 1 MB
    const auto list = chunked({10'000'000});
    H5Pset_deflate(list, 9);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
    dataset(id, "/data", H5T_STD_I32LE, {200'000'000}, list);
  });
  EXPECT_EQ(floats(), too_large);
  // A little that is not stored is what the format allows.
  make([&](hid_t id) { dataset(id, "/data", H5T_STD_I32LE, {1000}, chunked({100})); });
  EXPECT_EQ(H5File::open(file).read_ints("/data"), std::vector<std::int32_t>(1000, 0));
}

TEST_F(Hostile, NumbersOfOddWidthsAreNotConverted) {
  make([&](hid_t id) {
    const auto type = H5Tcopy(H5T_STD_I64LE);
    H5Tset_size(type, 64), H5Tset_precision(type, 512);
    dataset(id, "/data", type, {50}, H5Pcreate(H5P_DATASET_CREATE));
    H5Tclose(type);
  });
  EXPECT_EQ(floats(), named("does not hold numbers"));
  make([&](hid_t id) {
    const auto space = H5Screate(H5S_NULL);
    const auto set = H5Dcreate2(id, "/data", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(set), H5Sclose(space);
  });
  EXPECT_EQ(floats(), named("has no shape"));
}

}  // namespace
}  // namespace timbre::storage
