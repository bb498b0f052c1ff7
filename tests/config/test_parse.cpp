// YAML as strangers write it: every text ends, in bounded time, as a tree or as one line.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "config/node.hpp"
#include "storage/temporary_folder.hpp"

namespace timbre::config {
namespace {

using test::message_of;

std::string complaint(const std::string& text) {
  return message_of<RequestError>([&] { parse_text(text, "x.yaml", "."); });
}

TEST(ParseText, EndsOnTextThatBeginsWithAComma) {
  for (const std::string text : {",", " ,0r3! ", ",a: 1", "a: 1\n,", "[1]\n]", "}", ",\n,\n,", "- a\n, b"}) {
    const auto message = complaint(text);
    EXPECT_EQ(message.find("x.yaml:"), 0u) << text << " gives " << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << text;
  }
  auto root = parse_text("a: 1", "x.yaml", ".");
  EXPECT_EQ(message_of<RequestError>([&] { apply_override(root, "a=,"); }).find("--set a"), 0u);
}

TEST(ParseText, TellsSeveralDocuments) {
  EXPECT_EQ(complaint("a: 1\n---\nb: 2\n"), "x.yaml:1:1: more than one YAML document");
  EXPECT_EQ(complaint("a: 1\n...\nb: 2\n"), "x.yaml:1:1: more than one YAML document");
  EXPECT_EQ(complaint("---\na: 1\n"), "no error");
  EXPECT_EQ(complaint("---\na: 1\n...\n"), "no error");
}

TEST(ParseText, KeepsPlacesKindsAndAliases) {
  const auto root = parse_text("a: &x {u: 1, v: [2, '3']}\nb: *x\nc: ~\n? d\n: \"\"\n", "x.yaml", "base");
  ASSERT_TRUE(root.is_map());
  ASSERT_EQ(root.entries.size(), 4u);
  EXPECT_EQ(root.find("a")->origin.source, "x.yaml:1:4");
  EXPECT_EQ(root.key_origins[1].source, "x.yaml:2:1");
  EXPECT_EQ(root.find("b")->find("v")->items[1].scalar, "3");
  EXPECT_TRUE(root.find("b")->find("v")->items[1].quoted);
  EXPECT_FALSE(root.find("b")->find("u")->quoted);
  EXPECT_TRUE(root.find("c")->is_null());
  EXPECT_TRUE(root.find("d")->is_scalar());
  EXPECT_EQ(root.find("d")->origin.base, "base");
  EXPECT_EQ(complaint("a: &x [*x]\n"), "x.yaml:1:8: an alias inside of what it stands for");
  EXPECT_EQ(complaint("a: 1\na: 2\n"), "x.yaml:2:1: the key 'a' is given twice");
  EXPECT_EQ(complaint("[a]: 1\n"), "x.yaml:1:1: a key must be a word");
}

TEST(ParseText, BoundsWhatItBuilds) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_NE(complaint(std::string(100, '[')).find("nested deeper than 32"), std::string::npos);
  std::string deep, wide = "{", bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n", list = "[";
  for (int i = 0; i < 5000; ++i) deep += std::string(std::size_t(i), ' ') + "a:\n";
  EXPECT_NE(complaint(deep).find("larger than 4 MiB"), std::string::npos);
  for (int i = 0; i < 90000; ++i) wide += "k" + std::to_string(i) + ": 1, ", list += "1, ";
  EXPECT_NE(complaint(wide + "}").find("a map of more than 10000 keys"), std::string::npos);
  EXPECT_EQ(complaint(list + "1]"), "no error");
  EXPECT_NE(complaint(list + list + "1]]").find("more than 100000 values"), std::string::npos);
  for (char c = 'b'; c < 'j'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) bomb += std::string(i > 0 ? "," : "") + "*" + char(c - 1);
    bomb += "]\n";
  }
  EXPECT_NE(complaint(bomb).find("more than 100000 values"), std::string::npos);
  // An anchored tree is copied for its aliases: each level of this copies all that is inside.
  std::string nested = "[";
  for (int i = 0; i < 30; ++i) nested += "&a" + std::to_string(i) + " [";
  for (int i = 0; i < 9000; ++i) nested += "1,";
  nested += "1" + std::string(31, ']');
  EXPECT_NE(complaint(nested).find("more than 100000 values"), std::string::npos) << complaint(nested);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(LoadFile, ReadsNoDevices) {
  EXPECT_EQ(message_of<RequestError>([] { load_file("/dev/zero"); }),
            "/dev/zero: is a device, not a YAML file");
  const test::TemporaryFolder folder;
  std::ofstream(folder / "big.yaml") << "a: " << std::string(5 << 20, 'x');
  EXPECT_NE(message_of<RequestError>([&] { load_file(folder / "big.yaml"); }).find("larger than 4 MiB"),
            std::string::npos);
}

}  // namespace
}  // namespace timbre::config
