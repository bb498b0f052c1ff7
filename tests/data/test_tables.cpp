// Tables of features from elsewhere: what each format holds, and twenty that are wrong.
#include <cstring>

#include "data/tables/npz_writer.hpp"
#include "data/tables/table.hpp"
#include "support.hpp"

namespace timbre::data {
namespace {

using features::ExternalOptions;
namespace fs = std::filesystem;
using test::complaint;
using test::TempFolder;
using test::write_text;

const fs::path golden = TIMBRE_TEST_DATA;

struct Read : Table {
  std::vector<float> values;
};

Read read(const fs::path& file, ExternalOptions options = {}) {
  Read out;
  std::vector<float> values;
  static_cast<Table&>(out) = read_table(options, file, [&](std::span<const float> row) {
    values.insert(values.end(), row.begin(), row.end());
  });
  out.values = std::move(values);
  return out;
}

class Tables : public testing::Test {
 protected:
  Read csv(const std::string& text, const ExternalOptions& options = {}) {
    write_text(root / "t.csv", text);
    return read(root / "t.csv", options);
  }
  /// What a table is refused for, without the folder it lies in.
  std::string refusal(const std::string& name, const std::string& content,
                      const ExternalOptions& options = {}) {
    write_text(root / name, content);
    auto text = complaint([&] { read(root / name, options); });
    const auto folder = root.path().string() + "/";
    for (auto at = text.find(folder); at != text.npos; at = text.find(folder)) text.erase(at, folder.size());
    EXPECT_EQ(text.find('\n'), text.npos) << text;
    EXPECT_LT(text.size(), 600u) << text;
    return text;
  }
  TempFolder root;
};

// ---- CSV

TEST_F(Tables, CsvNamesItsColumns) {
  const auto t = csv("filename,a,b,label\nx.wav,1,2.5,rock\ny.wav,-3e-2,+4,jazz\n");
  EXPECT_EQ(t.rows, 2);
  EXPECT_EQ(t.width, 2);
  EXPECT_EQ(t.values, (std::vector<float>{1, 2.5, -3e-2f, 4}));
  EXPECT_EQ(t.ids, (std::vector<std::string>{"x.wav", "y.wav"}));
  EXPECT_EQ(t.label_names, (std::vector<std::string>{"rock", "jazz"}));
  EXPECT_EQ(t.label, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(t.lines, (std::vector<std::int32_t>{2, 3}));
  EXPECT_EQ(t.columns, (std::vector<std::string>{"a", "b"}));
}

TEST_F(Tables, CsvMayHaveAnyLineEndsSeparatorsQuotesAndAByteOrderMark) {
  const auto plain = csv("id,a,b,label\nx,1,2,r\ny,3,4,s\n");
  for (const auto* text :
       {"\xEF\xBB\xBFid,a,b,label\r\nx,1,2,r\r\ny,3,4,s\r\n", "id;a;b;label\nx;1;2;r\n\ny;3;4;s",
        "id\ta\tb\tlabel\nx\t1\t2\tr\ny\t3\t4\ts\n", "id,a,b,label\rx,1,2,r\ry,3,4,s\r",
        "\"id\",\"a\",\"b\",\"label\"\n\"x\",\"1\", 2 ,\"r\"\n y ,\"3\",4,s\n"}) {
    const auto t = csv(text);
    EXPECT_EQ(t.values, plain.values) << text;
    EXPECT_EQ(t.ids, plain.ids) << text;
    EXPECT_EQ(t.label_names, plain.label_names) << text;
  }
  const auto quoted = csv("id,a,label\n\"a \"\"b\"\",\nc\",1,r\nz,2,s\n");
  EXPECT_EQ(quoted.ids, (std::vector<std::string>{"a \"b\",\nc", "z"}));
  EXPECT_EQ(quoted.lines, (std::vector<std::int32_t>{2, 4}));
}

TEST_F(Tables, CsvColumnsMayBeChosenInAnyOrderAndDropped) {
  const std::string text = "name,a,b,c,genre,artist\nx,1,2,3,r,p\ny,4,5,6,s,q\n";
  ExternalOptions o;
  o.ids = "name", o.labels = "genre", o.groups = "artist";
  EXPECT_EQ(csv(text, o).values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(csv(text, o).groups, (std::vector<std::string>{"p", "q"}));
  o.drop = {"b"};
  EXPECT_EQ(csv(text, o).values, (std::vector<float>{1, 3, 4, 6}));
  o.drop.clear(), o.columns = {"c", "a"};
  EXPECT_EQ(csv(text, o).values, (std::vector<float>{3, 1, 6, 4}));
}

TEST_F(Tables, CsvIsReadInBlocksWhereverTheyEnd) {
  // Lines of many lengths, so that blocks of any size end in a number, a quote and a line end.
  std::string text = "id,a,b,label\r\n";
  std::vector<float> expected;
  for (int i = 0; i < 60'000; ++i) {
    const float a = float(i) / 3, b = float(std::int64_t{i} * i % 1001) * 1e-3f;
    text += fmt::format("\"clip, {}{}\",{},{},{}\r\n", std::string(std::size_t(i % 37), 'x'), i, a, b, i % 3);
    expected.push_back(a), expected.push_back(b);
  }
  const auto t = csv(text);
  EXPECT_EQ(t.rows, 60'000);
  EXPECT_EQ(t.values, expected);
  EXPECT_EQ(t.ids[59'999], "clip, " + std::string(59'999 % 37, 'x') + "59999");
  EXPECT_EQ(t.lines.back(), 60'001);
}

TEST_F(Tables, NumbersAreTheNearestFloats) {
  const auto t = csv("a,b,c,d,label\n1e-60,-1e-46,3.4028234e38,0.1,x\n16777217,1e0,.5,5.,y\n");
  EXPECT_EQ(t.values, (std::vector<float>{0.0f, -0.0f, 3.4028234e38f, 0.1f, 16777216.0f, 1, 0.5f, 5}));
}

// ---- arrays

TEST_F(Tables, NumpysArraysAreReadStoredAndDeflated) {
  for (const auto* name : {"external_stored.npz", "external_deflated.npz"}) {
    const auto t = read(golden / name);
    EXPECT_EQ(t.rows, 12);
    EXPECT_EQ(t.width, 3);
    EXPECT_EQ(t.frames, (std::vector<std::int32_t>{5}));
    ASSERT_EQ(t.values.size(), 180u);
    for (std::size_t i = 0; i < 180; ++i) EXPECT_EQ(t.values[i], float(double(i) / 7)) << name << " " << i;
    EXPECT_EQ(t.ids[11], "rock/rock.00005.au");
    EXPECT_EQ(t.label_names, (std::vector<std::string>{"blues", "jazz", "rock"})) << name;
    EXPECT_EQ(t.label[8], 2);
  }
  EXPECT_EQ(read(golden / "external_stored.npz").groups[11], "日本");
  EXPECT_EQ(read(golden / "external_stored.npz").groups[0], "Béla");
}

TEST_F(Tables, Hdf5OfOthersIsReadByThePathsOfItsDataSets) {
  ExternalOptions o;
  o.features = "deep/X", o.labels = "/deep/y", o.ids = "deep/who", o.label_names = {"blues", "jazz", "rock"};
  const auto t = read(golden / "external_others.h5", o);
  const auto npz = read(golden / "external_stored.npz");
  EXPECT_EQ(t.values, npz.values);
  EXPECT_EQ(t.ids, npz.ids);
  EXPECT_EQ(t.label, npz.label);
  EXPECT_EQ(t.label_names, npz.label_names);
}

TEST_F(Tables, TheOriginalsJsonMayHaveItsKeysInAnyOrder) {
  write_text(
      root / "t.json",
      R"({"mfcc": [[[1, 2], [3, 4.5]], [[5e0, 6], [-7, 8]]], "labels": [1, 0], "other": {"a": [null, "\u00e9"]},
 "mapping": ["blues", "rock"]})");
  const auto t = read(root / "t.json");
  EXPECT_EQ(t.rows, 2);
  EXPECT_EQ(t.width, 2);
  EXPECT_EQ(t.frames, (std::vector<std::int32_t>{2}));
  EXPECT_EQ(t.values, (std::vector<float>{1, 2, 3, 4.5, 5, 6, -7, 8}));
  EXPECT_EQ(t.label, (std::vector<std::int32_t>{1, 0}));
  EXPECT_TRUE(t.ids.empty());
}

TEST_F(Tables, JsonRowsMayDifferInLength) {
  write_text(root / "t.json", R"({"labels": ["a", "b"], "mfcc": [[[1], [2], [3]], [[4]]]})");
  const auto t = read(root / "t.json");
  EXPECT_EQ(t.frames, (std::vector<std::int32_t>{3, 1}));
  EXPECT_EQ(t.values, (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(Tables, WhatIsWrittenAsNpzIsReadBack) {
  {
    storage::AtomicFile file(root / "t.npz");
    NpzWriter out(file);
    out.begin("X", {3, 2});
    out.floats(std::vector<float>{1, 2, 3});
    out.floats(std::vector<float>{4, 5, 6});
    out.add("Y", std::vector<std::int64_t>{0, 1, 0});
    out.add("IDS", std::vector<std::string>{"a/é", "b/日本", "a/c"});
    out.finish();
  }
  const auto t = read(root / "t.npz");
  EXPECT_EQ(t.values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(t.ids, (std::vector<std::string>{"a/é", "b/日本", "a/c"}));
}

// ---- twenty and some tables that are wrong: one line with the place

/// An NPY file with this head and these bytes.
std::string npy(const std::string& type, const std::string& shape, std::size_t bytes) {
  std::string head = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
  return std::string("\x93NUMPY\x01\x00", 8) + char(head.size() & 255) + char(head.size() >> 8) + head +
         std::string(bytes, '\0');
}

TEST_F(Tables, RefusesCsvThatIsWrongWithItsLineAndColumn) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      // ragged rows
      {"id,a,b,label\nx,1,2,r\ny,3,s\n", "t.csv:3:6: 3 fields, but the header has 4"},
      {"id,a,label\nx,1,r,9\n", "t.csv:2:6: 4 fields, but the header has 3"},
      // not a number, NaN, nothing, too large
      {"id,a,b,label\nx,1,abc,r\n",
       "t.csv:2:5: column 'b': 'abc' is not a number; what is no feature is named by"},
      {"id,a,label\nx,1,r\ny,nan,s\n", "t.csv:3:3: column 'a': 'nan' is not finite"},
      {"id,a,label\nx,1,r\ny,-inf,s\n", "t.csv:3:3: column 'a': '-inf' is not finite"},
      {"id,a,label\nx,1,r\ny,,s\n", "t.csv:3:3: column 'a': is empty"},
      {"id,a,label\nx,1e99,r\n", "t.csv:2:3: column 'a': '1e99' is too large for float32"},
      {"id;a;label\nx;1;r\ny;1,5;s\n",
       "t.csv:3:3: column 'a': '1,5' is not a number; numbers have a decimal point"},
      // columns
      {"id,a,b,a,label\nx,1,2,3,r\n", "t.csv:1:8: the column 'a' is there twice, as number 2 and 4"},
      {"id,a,,label\nx,1,2,r\n", "t.csv:1:6: column 3 has no name"},
      {"id,label\nx,r\n", "t.csv:1:1: no column is left for features; its columns: id, label"},
      // quotes
      {"id,a,label\n\"x,1,r\ny,2,s\n", "t.csv:2:1: a quote is opened and never closed"},
      {"id,a,label\nx\"y\",1,r\n", "t.csv:2:1: a quote inside a field that does not begin with one"},
      {"id,a,label\n\"x\"y,1,r\n", "t.csv:2:4: text after the closing quote of a field"},
      // labels and IDs
      {"id,a,label\nx,1,\n", "t.csv:2:5: column 'label': the label is empty"},
      {"id,a,label\n ,1,r\n", "t.csv:2:1: column 'id': the ID is empty"},
      // nothing at all
      {"", "t.csv:1: empty; a table begins with a line of column names"},
      {"id,a,label\n\n", "t.csv:1: no rows below the header"},
      {std::string("id,a,label\nx,1\0,r\n", 18), "t.csv: is not text (it holds NUL bytes"},
  };
  for (const auto& [text, message] : wrong)
    EXPECT_EQ(refusal("t.csv", text).substr(0, message.size()), message) << text;
  std::string wide = "c0";
  for (int i = 1; i < 1'000'000; ++i) wide += fmt::format(",c{}", i);
  EXPECT_EQ(refusal("t.csv", wide + "\n1,2\n"), "t.csv:1: 1,000,000 columns; a table may have 65,536");
  ExternalOptions o;
  o.labels = "genre";
  EXPECT_EQ(refusal("t.csv", "id,a,gener\nx,1,r\n", o),
            "t.csv:1:1: has no column 'genre' (labels); did you mean 'gener'?; its columns: id, a, gener");
}

TEST_F(Tables, RefusesJsonThatIsWrongWithItsLineAndColumn) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"{\"labels\": [0, 1],\n \"mfcc\": [[[1, 2], [3",
       "t.json:2:21: the file ends early: its JSON is cut short"},
      {"{\"labels\": [0],\n\"mfcc\": [[[1, NaN]]]}", "t.json:2:15: mfcc[0]: 'NaN' is not finite"},
      {"{\"labels\": [0],\n\"mfcc\": [[[1, 2], [3]]]}", "t.json:2:22: mfcc[0]: 1 numbers, but 2 before"},
      {"{\"labels\": [0, 1], \"mfcc\": [[[1, 2]]]}", "t.json: labels has 2 entries, but mfcc has 1"},
      {"{\"mapping\": [\"a\"], \"labels\": [3], \"mfcc\": [[[1, 2]]]}",
       "t.json: labels: row 0: the label 3 is unknown: there are 1 names, from 0 on"},
      {"{\"labels\": [0]}", "t.json: has no key 'mfcc' of features; its keys: labels"},
      {"{\"labels\": [0], \"labels\": [0]}", "t.json:1:27: the key 'labels' is there twice"},
      {"[1, 2]", "t.json:1:1: expected an object {...}, not '['"},
      {"{\"mfcc\": [[[1]]], \"labels\": [0]} x", "t.json:1:34: something follows the end of the JSON"},
      {"{\"x\": " + std::string(100'000, '['), "t.json:1:72: is nested deeper than 64 levels"},
  };
  for (const auto& [text, message] : wrong) EXPECT_EQ(refusal("t.json", text), message);
}

TEST_F(Tables, RefusesArraysThatLie) {
  ExternalOptions o;
  EXPECT_EQ(refusal("t.npy", npy("<f4", "(4, 2)", 31)),
            "t.npy: its shape (4, 2) takes 32 bytes, but 31 are there");
  EXPECT_EQ(refusal("t.npy", npy("<f4", "(1000000000, 1000000000)", 8)),
            "t.npy: claims more elements than there can be");
  EXPECT_EQ(refusal("t.npy", npy("|O", "(2,)", 16)),
            "t.npy: holds Python objects, a pickle, which runs code when it is read: refused. Save it as "
            "numbers or with dtype str");
  EXPECT_EQ(refusal("t.npy", npy(">f4", "(2, 1)", 8)), "t.npy: is big-endian; save it with astype('<f4')");
  EXPECT_EQ(refusal("t.npy", npy("<c8", "(2, 1)", 16)),
            "t.npy: is of type '<c8'; <f4, <f8, whole numbers and texts are read");
  EXPECT_EQ(refusal("t.npy", std::string("\x80\x04\x95 pickle of something", 24)),
            "t.npy: is a pickle, which runs code when it is read: refused");
  EXPECT_EQ(refusal("t.npy", "hello"), "t.npy: is not an array of NumPy's");
  auto nan = npy("<f4", "(2, 2)", 12);
  const float bad = NAN;
  nan.append(reinterpret_cast<const char*>(&bad), 4);
  EXPECT_EQ(refusal("t.npy", nan), "t.npy: row 1, value 1: nan is not finite");
  EXPECT_EQ(refusal("t.pkl", "x").substr(0, 60),
            "t.pkl: is a pickle, which runs code when it is read: refused");
  EXPECT_EQ(refusal("t.npz", "no zip, but long enough for its end"),
            "t.npz: is not a zip archive, or it is cut short");
  EXPECT_CONTAINS(complaint([&] { read(golden / "external_pickle.npz"); }),
                  "array 'X': holds Python objects, a pickle");
  o.features = "Z";
  EXPECT_CONTAINS(complaint([&] { read(golden / "external_stored.npz", o); }),
                  "has no array 'Z' (features); its arrays: X, Y, IDS, groups, label_names");
  o.features = "X", o.labels = "label_names";
  EXPECT_CONTAINS(complaint([&] { read(golden / "external_stored.npz", o); }),
                  "array 'label_names': has the shape [3], but there are 12 rows of features");
}

TEST_F(Tables, EveryByteOfAnNpzIsCheckedOrDoesNotMatter) {
  // Whatever byte is changed, the table is refused in one line, or read with the same numbers.
  for (const auto* name : {"external_stored.npz", "external_deflated.npz"}) {
    const auto good = read(golden / name);
    std::ifstream in(golden / name, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    int refused = 0, same = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
      auto changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ 0x55);
      write_text(root / "t.npz", changed);
      try {
        const auto t = read(root / "t.npz");
        same += t.values == good.values && t.rows == good.rows;
        EXPECT_EQ(t.values, good.values) << name << " byte " << i;
      } catch (const RequestError&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, same) << name;
    for (std::size_t size = 0; size < bytes.size(); size += 41) {
      write_text(root / "t.npz", bytes.substr(0, size));
      EXPECT_THROW(read(root / "t.npz"), RequestError) << name << " cut to " << size;
    }
  }
}

TEST_F(Tables, EveryCutOfAJsonIsRefused) {
  const std::string text =
      R"({"mapping": ["a\u00e9", "b"], "labels": [0, 1], "mfcc": [[[1, 2e0]], [[-3, 4.5]]]})";
  write_text(root / "t.json", text);
  EXPECT_EQ(read(root / "t.json").values, (std::vector<float>{1, 2, -3, 4.5}));
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_CONTAINS(refusal("t.json", text.substr(0, size)), "t.json:1:");
}

}  // namespace
}  // namespace timbre::data
