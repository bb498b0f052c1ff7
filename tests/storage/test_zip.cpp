// Zip archives: ours read back, and hostile ones.
#include <gtest/gtest.h>
#include <zlib.h>

#include "storage/zip_archive.hpp"

namespace timbre::storage {
namespace {

using namespace test;

const std::vector<ZipMember> members{{"a.json", "{}"}, {"folder/b", std::string(5000, 'x')}, {"empty", ""}};

TEST(Zip, ReadsBackWhatItWrote) {
  const auto bytes = zip_archive(members);
  EXPECT_EQ(bytes, zip_archive(members));
  EXPECT_TRUE(looks_like_zip(bytes));
  const auto zip = zip_of(bytes);
  ASSERT_EQ(zip.members().size(), 3U);
  EXPECT_EQ(zip.members()[1].name, "folder/b");
  EXPECT_EQ(zip.find("c"), nullptr);
  for (const auto& m : members) EXPECT_EQ(zip.read(m.name, 1 << 20), m.bytes);
  EXPECT_EQ(message_of<Error>([&] { zip.read("c", 1); }), "a.zip: it holds no c");
  EXPECT_EQ(message_of<Error>([&] { zip.read("folder/b", 4999); }),
            "a.zip: its member 'folder/b' claims 5,000 bytes; 4,999 are the limit");
}

TEST(Zip, HasTheBytesOfTheFormat) {
  // As Python's zipfile writes the same member with the date of 1 January 1980, but for the byte of the system.
  const auto bytes = zip_archive({{"a", "hello"}});
  EXPECT_EQ(bytes.substr(0, 36),
            std::string("PK\x03\x04\x14\0\0\0\0\0\0\0\x21\0\x86\xa6\x10\x36\x05\0\0\0\x05\0\0\0\x01\0\0\0"
                        "ahello",
                        36));
  EXPECT_EQ(bytes.substr(36, 4), "PK\x01\x02");
  EXPECT_EQ(bytes.substr(bytes.size() - 22, 4), "PK\x05\x06");
}

TEST(Zip, NoticesEveryCutAndEveryChangedByteOfAMember) {
  const auto bytes = zip_archive(members);
  const auto read_all = [](const std::string& archive) {
    return message_of<Error>([&] {
      const auto zip = zip_of(archive);
      for (const auto& m : members) zip.read(m.name, 1 << 20);
    });
  };
  EXPECT_EQ(read_all(bytes), "no error");
  for (std::size_t n = 0; n < bytes.size(); n += n < 300 ? 1 : 97)
    EXPECT_NE(read_all(bytes.substr(0, n)), "no error") << n;
  for (const std::size_t at : {std::size_t(37), std::size_t(600), std::size_t(5000)}) {
    auto changed = bytes;
    changed[at] ^= 1;
    EXPECT_NE(read_all(changed).find("checksum does not fit"), std::string::npos) << at;
  }
  // Whatever byte is changed: an error, or the same members.
  for (std::size_t at = 0; at < bytes.size(); at += at < 60 || at > 5000 ? 1 : 211)
    for (const int bit : {1, 128}) {
      auto changed = bytes;
      changed[at] = char(changed[at] ^ bit);
      read_all(changed);  // (no crash; under the sanitizers, no reading beyond the end)
    }
}

/// An archive of one member that is compressed, with a size that it claims.
std::string deflated(const std::string& plain, std::uint32_t claimed, std::uint16_t method = 8) {
  std::string stored(compressBound(plain.size()), '\0');
  z_stream s{};
  deflateInit2(&s, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  s.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data())), s.avail_in = uInt(plain.size());
  s.next_out = reinterpret_cast<Bytef*>(stored.data()), s.avail_out = uInt(stored.size());
  deflate(&s, Z_FINISH);
  stored.resize(s.total_out);
  deflateEnd(&s);
  const auto crc = std::uint32_t(crc32(0, reinterpret_cast<const Bytef*>(plain.data()), uInt(plain.size())));
  auto bytes = zip_archive({{"m", stored}});
  const auto put = [&](std::size_t at, std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i) bytes[at + std::size_t(i)] = char(value >> (8 * i));
  };
  const auto directory = bytes.find("PK\x01\x02");
  put(directory + 10, method, 2), put(directory + 16, crc, 4), put(directory + 24, claimed, 4);
  return bytes;
}

TEST(Zip, UnfoldsDeflateAndNotMoreThanItClaims) {
  const std::string plain(100'000, 'y');
  const auto read = [](const std::string& bytes) {
    return message_of<Error>([&] { zip_of(bytes).read("m", 1u << 31); });
  };
  const auto good = deflated(plain, 100'000);
  EXPECT_EQ(zip_of(good).read("m", 1 << 20), plain);
  EXPECT_EQ(read(deflated(plain, 99'999u)), "a.zip: its member 'm' is damaged: its checksum does not fit");
  EXPECT_EQ(read(deflated(plain, 100'001u)), "a.zip: its member 'm' ends early");
  // 2 GB claimed by a hundred bytes: refused before memory is taken.
  EXPECT_NE(read(deflated(plain, 2'000'000'000u)).find("claims to be larger than it can unfold to"),
            std::string::npos);
  EXPECT_EQ(read(deflated(plain, 100'000, 12)),
            "a.zip: its member 'm' is packed by method 12; stored and deflated ones are read");
}

}  // namespace
}  // namespace timbre::storage
