// The checksum in front of own files: no byte can change without a word.
#include <gtest/gtest.h>

#include <fstream>

#include "storage/hdf5.hpp"
#include "storage/seal.hpp"
#include "temporary_folder.hpp"

namespace timbre::storage {
namespace {

using test::bytes_of;
using test::TemporaryFolder;

void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

class Seals : public testing::Test {
 protected:
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "a.h5";
  std::string whole;
  void SetUp() override {
    auto h5 = H5File::create(file);
    h5.write("/data", std::vector<float>{1, 2, 3}, {3});
    h5.write_texts("/names", {"a", "b"});
    h5.close();
    whole = bytes_of(file);
  }
  Seal seal_of(const std::string& bytes) const {
    write_bytes(folder / "b.h5", bytes);
    return read_seal(folder / "b.h5");
  }
};

TEST_F(Seals, StandInFrontOfEveryFileThatIsCreated) {
  EXPECT_EQ(read_seal(file), Seal::whole);
  EXPECT_EQ(whole.substr(0, 24), "timbre-file 1\nxxh3-128 " + whole.substr(23, 1));
  EXPECT_NE(whole.find("bytes " + std::to_string(whole.size()) + "\n"), std::string::npos);
  EXPECT_EQ(whole.substr(512, 8), "\x89HDF\r\n\x1a\n");
  EXPECT_EQ(H5File::open(file).read_floats("/data"), (std::vector<float>{1, 2, 3}));
}

TEST_F(Seals, AreNotWrittenByADestructor) {
  { H5File::create(folder / "c.h5").group("/g"); }  // an exception, say, came before close()
  EXPECT_EQ(read_seal(folder / "c.h5"), Seal::broken);
}

TEST_F(Seals, NoBitChangesUnseen) {
  for (std::size_t byte = 0; byte < whole.size(); ++byte) {
    auto changed = whole;
    changed[byte] = char(changed[byte] ^ (1 << (byte % 8)));
    ASSERT_EQ(seal_of(changed), Seal::broken) << "byte " << byte;
  }
}

TEST_F(Seals, AreBrokenByEveryOtherLength) {
  for (const auto size :
       {whole.size() - 1, whole.size() / 2, std::size_t{600}, std::size_t{512}, std::size_t{100}})
    EXPECT_EQ(seal_of(whole.substr(0, size)), Seal::broken) << size;
  EXPECT_EQ(seal_of(whole + '\0'), Seal::broken);
  EXPECT_EQ(seal_of(std::string(512, '\0') + whole.substr(512)), Seal::broken);  // a sector that was lost
  EXPECT_EQ(seal_of(std::string(512, 'x') + whole.substr(512)),
            Seal::broken);  // or that holds another file's bytes
}

TEST_F(Seals, AreNotSeenWhereThereAreNone) {
  EXPECT_EQ(seal_of(whole.substr(512)),
            Seal::none);  // an HDF5 file of another program, or of an earlier version
  EXPECT_EQ(seal_of("RIFF, not HDF5"), Seal::none);
  EXPECT_EQ(seal_of(""), Seal::none);
  EXPECT_EQ(read_seal(folder / "no such file"), Seal::none);
  EXPECT_EQ(read_seal(folder.path()), Seal::none);
  EXPECT_EQ(read_seal("/dev/zero"), Seal::none);
}

}  // namespace
}  // namespace timbre::storage
