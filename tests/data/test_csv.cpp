#include "data/csv.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

using test::complaint;
using Fields = std::vector<std::string>;

TEST(Csv, QuotedFieldsMayHoldCommasQuotesAndLineEnds) {
  const auto t = parse_csv("a,b\n\"x, \"\"y\"\"\",\"two\nlines\"\nlast,1\n", "t.csv");
  ASSERT_EQ(t.rows.size(), 2u);
  EXPECT_EQ(t.rows[0].fields, (Fields{"x, \"y\"", "two\nlines"}));
  EXPECT_EQ(t.rows[1].fields, (Fields{"last", "1"}));
  EXPECT_EQ(t.rows[1].line, 4);
  EXPECT_EQ(t.column("b"), 1);
  EXPECT_EQ(t.column("c"), -1);
}

TEST(Csv, EveryKindOfLineEndAndAMarkInFrontReadTheSame) {
  for (const std::string text : {"a,b\n1,\n\n3,4",
                                 "\xEF\xBB\xBF"
                                 "a,b\r\n1,\r\n\r\n3,4\r\n",
                                 "a , b\r1,\r\r 3\t,4"}) {
    const auto t = parse_csv(text, "t.csv");
    EXPECT_EQ(t.header.fields, (Fields{"a", "b"}));
    ASSERT_EQ(t.rows.size(), 2u) << text;
    EXPECT_EQ(t.rows[0].fields, (Fields{"1", ""}));
    EXPECT_EQ(t.rows[1].fields, (Fields{"3", "4"}));
    EXPECT_EQ(t.rows[1].line, 4);
  }
}

TEST(Csv, ErrorsNameFileAndLine) {
  const auto said = [](const std::string& text) { return complaint([&] { parse_csv(text, "t.csv"); }); };
  EXPECT_EQ(said("a,b\n1,2\n3\n"), "t.csv:3: 1 fields, but the header has 2 (a, b)");
  EXPECT_EQ(said("a\n\"x\n"), "t.csv:2: a quote is opened and never closed");
  EXPECT_EQ(said("a\n\"x\"y\n"), "t.csv:2: text after the closing quote of a field");
  EXPECT_EQ(said("a\nx\"y\n"), "t.csv:2: a quote inside a field that does not begin with one");
  EXPECT_EQ(said(""), "t.csv:1: empty; a table begins with a line of column names");
  EXPECT_CONTAINS(complaint([] { read_csv("nowhere/t.csv"); }),
                  "nowhere/t.csv: no such file (looked for at /");
}

}  // namespace
}  // namespace timbre::data
