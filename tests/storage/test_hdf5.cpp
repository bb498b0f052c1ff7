#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "core/error.hpp"
#include "storage/hdf5.hpp"
#include "temporary_folder.hpp"

namespace timbre::storage {
namespace {

using test::bytes_of;
using test::message_of;
using test::TemporaryFolder;

TEST(H5File, ArraysComeBackAsTheyWereWritten) {
  const TemporaryFolder folder;
  const std::vector<float> f{1.5f, -2, 3e-38f, std::numeric_limits<float>::quiet_NaN(), 5, 6};
  const std::vector<double> d{1e300, -0.1};
  const std::vector<std::int32_t> i{-7, 2147483647, 0};
  const std::vector<std::int64_t> l{std::int64_t{1} << 60};
  {
    auto file = H5File::create(folder / "a.h5");
    file.write("/deep/down/f", f, {3, 2});
    file.write("/d", d, {2});
    file.write("/i", i, {3});
    file.write("/l", l, {1});
    file.write("/scalar", std::vector<float>{4}, {});
    file.write("/nothing", std::vector<float>{}, {0, 13});
    file.close();
  }
  const auto file = H5File::open(folder / "a.h5");
  EXPECT_EQ(file.shape("/deep/down/f"), (Shape{3, 2}));
  const auto back = file.read_floats("/deep/down/f");
  ASSERT_EQ(back.size(), f.size());
  for (std::size_t k = 0; k < f.size(); ++k)
    EXPECT_TRUE(back[k] == f[k] || (std::isnan(back[k]) && std::isnan(f[k]))) << k;
  EXPECT_EQ(file.read_doubles("/d"), d);
  EXPECT_EQ(file.read_ints("/i"), i);
  EXPECT_EQ(file.read_doubles("/l"), std::vector<double>{std::ldexp(1.0, 60)});
  EXPECT_EQ(file.shape("/scalar"), Shape{});
  EXPECT_EQ(file.read_floats("/scalar"), std::vector<float>{4});
  EXPECT_EQ(file.shape("/nothing"), (Shape{0, 13}));
  EXPECT_TRUE(file.read_floats("/nothing").empty());
  EXPECT_EQ(file.type_name("/deep/down/f"), "float32");
  EXPECT_EQ(file.type_name("/d"), "float64");
  EXPECT_EQ(file.type_name("/i"), "int32");
  EXPECT_EQ(file.type_name("/l"), "int64");
}

TEST(H5File, TextIsUtf8OfAnyLength) {
  const TemporaryFolder folder;
  const std::vector<std::string> texts{"", "blues", "Björk – Jóga", std::string(200000, 'x')};
  {
    auto file = H5File::create(folder / "a.h5");
    file.write_text("/config", texts[2]);
    file.write_texts("/names", texts);
    file.write_texts("/none", {});
    file.attribute("/", "name", texts[2]);
    file.attribute("/", "long", texts[3]);
    file.attribute("/names", "list", std::vector<std::string>{"a", "", "ü"});
    file.attribute("/names", "empty", std::vector<std::string>{});
    EXPECT_NE(message_of<Error>([&] { file.write_text("/zero", std::string("a\0b", 3)); }).find("zero byte"),
              std::string::npos);
  }
  const auto file = H5File::open(folder / "a.h5");
  EXPECT_EQ(file.read_text("/config"), texts[2]);
  EXPECT_EQ(file.read_texts("/names"), texts);
  EXPECT_TRUE(file.read_texts("/none").empty());
  EXPECT_EQ(file.type_name("/names"), "string");
  EXPECT_EQ(file.text_attribute("/", "name"), texts[2]);
  EXPECT_EQ(file.text_attribute("/", "long"), texts[3]);
  EXPECT_EQ(file.texts_attribute("/names", "list"), (std::vector<std::string>{"a", "", "ü"}));
  EXPECT_TRUE(file.texts_attribute("/names", "empty").empty());
}

TEST(H5File, AttributesKeepTheirTypes) {
  const TemporaryFolder folder;
  {
    auto file = H5File::create(folder / "a.h5");
    file.attribute("/", "count", std::int64_t{1} << 40);
    file.attribute("/", "rate", 0.1);
    file.attribute("/", "yes", true);
    file.attribute("/", "word", "adam");
    file.attribute("/", "word", "sgd");  // replaces
    file.empty_attribute("/", "weight_names");
  }
  const auto file = H5File::open(folder / "a.h5");
  EXPECT_EQ(file.int_attribute("/", "count"), std::int64_t{1} << 40);
  EXPECT_EQ(file.double_attribute("/", "rate"), 0.1);
  EXPECT_EQ(file.double_attribute("/", "count"), std::ldexp(1.0, 40));
  EXPECT_EQ(file.int_attribute("/", "yes"), 1);
  EXPECT_EQ(file.text_attribute("/", "word"), "sgd");
  EXPECT_TRUE(file.texts_attribute("/", "weight_names").empty());
  EXPECT_FALSE(file.has_attribute("/", "none"));
  EXPECT_FALSE(file.has_attribute("/none", "none"));
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(file.attributes("/"), (Pairs{{"count", "1099511627776"},
                                         {"rate", "0.1"},
                                         {"weight_names", "[]"},
                                         {"word", "sgd"},
                                         {"yes", "1"}}));
  EXPECT_NE(message_of<Error>([&] { file.int_attribute("/", "rate"); }).find("not a whole number"),
            std::string::npos);
  EXPECT_NE(message_of<Error>([&] { file.text_attribute("/", "none"); }).find("no attribute 'none'"),
            std::string::npos);
}

TEST(H5File, ALongListOfNamesIsCutAsKerasCutsIt) {
  const TemporaryFolder folder;
  std::vector<std::string> names;
  for (int i = 0; i < 10000; ++i) names.push_back("layer_" + std::to_string(i));
  {
    auto file = H5File::create(folder / "a.h5");
    file.attribute("/", "layer_names", names);
  }
  const auto file = H5File::open(folder / "a.h5");
  EXPECT_FALSE(file.has_attribute("/", "layer_names"));
  EXPECT_TRUE(file.has_attribute("/", "layer_names0"));
  EXPECT_TRUE(file.has_attribute("/", "layer_names2"));
  EXPECT_EQ(file.texts_attribute("/", "layer_names"), names);
}

TEST(H5File, RowsAreWrittenAndReadInPieces) {
  const TemporaryFolder folder;
  std::vector<float> all(7 * 6);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = float(i);
  {
    auto file = H5File::create(folder / "a.h5");
    file.create_rows("/features", {7, 2, 3});
    const std::span<const float> data(all);
    file.write_rows("/features", 4, data.subspan(24));
    file.write_rows("/features", 0, data.first(24));
    EXPECT_NE(message_of<Error>([&] { file.write_rows("/features", 5, data.first(18)); }).find("not among"),
              std::string::npos);
    EXPECT_NE(message_of<Error>([&] { file.write_rows("/features", 0, data.first(5)); }).find("whole rows"),
              std::string::npos);
  }
  const auto file = H5File::open(folder / "a.h5");
  EXPECT_EQ(file.read_floats("/features"), all);
  std::vector<float> part(12);
  file.read_rows("/features", 3, part);
  EXPECT_EQ(part, std::vector<float>(all.begin() + 18, all.begin() + 30));
}

TEST(H5File, ChildrenAreNamedInOrder) {
  const TemporaryFolder folder;
  {
    auto file = H5File::create(folder / "a.h5");
    file.group("/b/inner");
    file.write("/a", std::vector<float>{1}, {1});
    file.group("/b");  // again: no matter
  }
  const auto file = H5File::open(folder / "a.h5");
  const auto children = file.children("/");
  ASSERT_EQ(children.size(), 2u);
  EXPECT_EQ(children[0].name, "a");
  EXPECT_FALSE(children[0].is_group);
  EXPECT_EQ(children[1].name, "b");
  EXPECT_TRUE(children[1].is_group);
  EXPECT_TRUE(file.exists("/b/inner"));
  EXPECT_FALSE(file.exists("/a/inner"));
  EXPECT_FALSE(file.exists("/c/d"));
}

TEST(H5File, WrongFilesAreNamedInOneLine) {
  const TemporaryFolder folder;
  const auto open_message = [&](const std::string& name) {
    return message_of<RequestError>([&] { H5File::open(folder / name); });
  };
  EXPECT_EQ(open_message("none.h5"), (folder / "none.h5").string() + ": no such file");
  EXPECT_EQ(open_message(""), (folder / "").string() + ": is a folder, not a file");
  std::ofstream(folder / "text.h5") << "RIFF, not HDF5";
  EXPECT_EQ(open_message("text.h5"), (folder / "text.h5").string() + ": is not an HDF5 file");
  std::ofstream(folder / "empty.h5").close();
  EXPECT_EQ(open_message("empty.h5"), (folder / "empty.h5").string() + ": is not an HDF5 file");
  EXPECT_NE(
      message_of<Error>([&] { H5File::create(folder / "no/such/folder.h5"); }).find("cannot be created"),
      std::string::npos);
}

TEST(H5File, AFileCutShortIsAnErrorNotACrash) {
  const TemporaryFolder folder;
  {
    auto file = H5File::create(folder / "a.h5");
    file.write("/data", std::vector<float>(5000, 1.0f), {5000});
    file.attribute("/data", "note", std::vector<std::string>{"one", "two"});
  }
  const auto whole = bytes_of(folder / "a.h5");
  for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{100}, std::size_t{20}}) {
    std::ofstream(folder / "cut.h5", std::ios::binary) << whole.substr(0, size);
    EXPECT_NE(message_of<Error>([&] { H5File::open(folder / "cut.h5").read_floats("/data"); }), "no error")
        << size;
  }
}

TEST(H5File, MissingAndMistypedObjectsAreNamed) {
  const TemporaryFolder folder;
  {
    auto file = H5File::create(folder / "a.h5");
    file.write("/data", std::vector<float>{1}, {1});
    file.write_texts("/names", {"a"});
    EXPECT_NE(
        message_of<Error>([&] { file.write("/data", std::vector<float>{1}, {1}); }).find("is there already"),
        std::string::npos);
    EXPECT_NE(message_of<Error>([&] { file.write("/x", std::vector<float>{1}, {2}); }).find("do not fill"),
              std::string::npos);
  }
  const auto file = H5File::open(folder / "a.h5");
  const auto name = (folder / "a.h5").string();
  EXPECT_EQ(message_of<Error>([&] { file.read_floats("/none/data"); }),
            name + ": /none/data: is not in the file");
  EXPECT_EQ(message_of<Error>([&] { file.read_floats("/names"); }), name + ": /names: does not hold numbers");
  EXPECT_EQ(message_of<Error>([&] { file.read_ints("/data"); }),
            name + ": /data: does not hold whole numbers");
  EXPECT_EQ(message_of<Error>([&] { file.read_texts("/data"); }), name + ": /data: does not hold text");
  EXPECT_EQ(message_of<Error>([&] { file.read_floats("/"); }), name + ": /: is not a dataset");
}

TEST(H5File, TheSameCallsGiveTheSameBytes) {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name) {
    auto file = H5File::create(folder / name);
    file.group("/g/h");
    file.write("/g/data", std::vector<float>(100, 2.0f), {10, 10});
    file.write_texts("/names", {"a", "bb", std::string(300, 'c')});
    file.attribute("/", "seed", std::int64_t{1});
    file.attribute("/g", "names", std::vector<std::string>{"x", "yy"});
    file.empty_attribute("/g/h", "none");
    file.close();
  };
  write("a.h5");
  // Another second, another state of the heap.
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  std::vector<std::string> noise;
  for (int i = 1; i < 500; ++i) noise.emplace_back(std::size_t(i * 7), '\xA5');
  noise.resize(100);
  write("b.h5");
  EXPECT_EQ(bytes_of(folder / "a.h5"), bytes_of(folder / "b.h5"));
}

TEST(H5File, SeveralThreadsMayWriteTheirOwnFiles) {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&folder, t] {
      auto file = H5File::create(folder / (std::to_string(t) + ".h5"));
      for (int i = 0; i < 50; ++i)
        file.write("/g/" + std::to_string(i), std::vector<float>{float(t), float(i)}, {2});
    });
  for (auto& thread : threads) thread.join();
  for (int t = 0; t < 4; ++t)
    EXPECT_EQ(H5File::open(folder / (std::to_string(t) + ".h5")).read_floats("/g/49"),
              (std::vector<float>{float(t), 49}));
}

}  // namespace
}  // namespace timbre::storage
