#include <gtest/gtest.h>

#include "config/schema.hpp"

namespace timbre::config {
namespace {

struct Inner {
  double rate = 0.5;
};
const Schema<Inner>& schema(of<Inner>) {
  static const auto s = Schema<Inner>("inner").field("rate", &Inner::rate, "a rate", rate()).shorthand();
  return s;
}
struct Outer {
  int units = 3;
  bool flag = false;
  std::string kind = "a";
  std::optional<double> top_db = 80;
  std::vector<std::int64_t> sizes{1, 2};
  Inner inner;
  std::filesystem::path path;
};
const Schema<Outer>& schema(of<Outer>) {
  static const auto s = Schema<Outer>("outer")
                            .field("units", &Outer::units, "how many", at_least(1))
                            .field("flag", &Outer::flag, "a flag")
                            .field("kind", &Outer::kind, "a kind", one_of({"a", "b"}))
                            .field("top_db", &Outer::top_db, "range")
                            .field("sizes", &Outer::sizes, "sizes")
                            .field("inner", &Outer::inner, "nested")
                            .field("path", &Outer::path, "a path");
  return s;
}

Outer parse(const std::string& text, std::vector<std::string> sets = {}) {
  Node n = parse_text(text, "f.yaml", "/base");
  for (const auto& s : sets) apply_override(n, s);
  return schema(of<Outer>{}).parse(Reader(n));
}

std::string message(const std::string& text, std::vector<std::string> sets = {}) {
  try {
    parse(text, sets);
  } catch (const RequestError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Schema, ReadsValuesOverDefaults) {
  const auto o = parse("units: 7\nflag: true\ntop_db: null\nsizes: [4]\ninner: 0.25\npath: x/../y.csv\n");
  EXPECT_EQ(o.units, 7);
  EXPECT_TRUE(o.flag);
  EXPECT_FALSE(o.top_db.has_value());
  EXPECT_EQ(o.sizes, std::vector<std::int64_t>{4});
  EXPECT_EQ(o.inner.rate, 0.25);
  EXPECT_EQ(o.path, "/base/y.csv");
  EXPECT_EQ(parse("{}").units, 3);
}

TEST(Schema, ErrorsNamePlacePathAndRemedy) {
  EXPECT_EQ(message("units: 1\nunit: 2"),
            "f.yaml:2:1: unknown key 'unit'; did you mean 'units'? known: units, flag, kind, top_db, sizes, "
            "inner, path");
  EXPECT_EQ(message("units: 0"), "f.yaml:1:8: units: must be at least 1, not '0'");
  EXPECT_EQ(message("units: 1.5"), "f.yaml:1:8: units: must be a whole number, not '1.5'");
  EXPECT_EQ(message("units: '3'"), "f.yaml:1:8: units: must be a whole number, not '3'");
  EXPECT_EQ(message("units: 99999999999999999999"),
            "f.yaml:1:8: units: is out of range: '99999999999999999999'");
  EXPECT_EQ(message("inner: {rate: .nan}"), "f.yaml:1:15: inner.rate: must be a finite number, not '.nan'");
  EXPECT_EQ(message("inner: {rte: 1}"),
            "f.yaml:1:9: inner: unknown key 'rte'; did you mean 'rate'? known: rate");
  EXPECT_EQ(message("kind: c"), "f.yaml:1:7: kind: must be one of a, b, not 'c'");
  EXPECT_EQ(message("sizes: [1, x]"), "f.yaml:1:12: sizes[1]: must be a whole number, not 'x'");
  EXPECT_EQ(message("flag: 1"), "f.yaml:1:7: flag: must be true or false, not '1'");
  EXPECT_EQ(message("units: 1\nunits: 2"), "f.yaml:2:1: the key 'units' is given twice");
  EXPECT_EQ(message("units: [1"), "f.yaml:1:1: not YAML: end of sequence flow not found");
  EXPECT_EQ(message("a: 1\n---\nb: 2"), "f.yaml:1:1: more than one YAML document");
}

TEST(Schema, OverridesReplaceAndAreNamed) {
  EXPECT_EQ(parse("units: 1", {"units=5", "inner.rate=0.1"}).inner.rate, 0.1);
  EXPECT_EQ(message("{}", {"inner.rte=1"}),
            "--set inner.rte: inner: unknown key 'rte'; did you mean 'rate'? known: rate");
  EXPECT_EQ(message("{}", {"units=x"}), "--set units: must be a whole number, not 'x'");
  EXPECT_EQ(message("sizes: [1]", {"sizes[3]=1"}), "--set sizes[3]: sizes has 1 items, numbered from 0");
  EXPECT_EQ(message("{}", {"units"}), "--set units: a key and a value are written as key=value");
  EXPECT_EQ(message("{}", {"a..b=1"}), "--set a..b: an empty key; a path is written as model[0].lstm.units");
}

TEST(Schema, RefusesDeepNestingAndAliasBombs) {
  EXPECT_NE(message(std::string(2000, '[')).find("f.yaml:1:"), std::string::npos);
  EXPECT_NE(message("units: " + std::string(100, '[') + std::string(100, ']')).find("nested deeper"),
            std::string::npos);
  std::string bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n";
  for (char c = 'b'; c < 'j'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) bomb += std::string(i ? "," : "") + "*" + char(c - 1);
    bomb += "]\n";
  }
  EXPECT_NE(message(bomb).find("more than 100000 values"), std::string::npos) << message(bomb);
}

TEST(Schema, DumpReadsBackTheSame) {
  const auto o = parse("units: 7\nsizes: [4, 5]\ntop_db: 3.5\nkind: b\npath: /a/null\n");
  const auto text = to_yaml(schema(of<Outer>{}).dump(o));
  EXPECT_EQ(text, to_yaml(schema(of<Outer>{}).dump(parse(text)))) << text;
}

}  // namespace
}  // namespace timbre::config
