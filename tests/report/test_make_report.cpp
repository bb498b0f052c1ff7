// make_report as a person uses it, where it was built.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "records.hpp"

namespace timbre::report {
namespace {

class MakeReport : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(TIMBRE_BIN_DIR "/make_report")) GTEST_SKIP() << "make_report is not built";
  }
  int run(const std::string& arguments) {
    const auto command = fmt::format("cd '{}' && '{}/make_report' {} > out 2> err", folder_.path().string(),
                                     TIMBRE_BIN_DIR, arguments);
    const int status = std::system(command.c_str());
    out_ = test::bytes_of(folder_ / "out"), err_ = test::bytes_of(folder_ / "err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  test::TemporaryFolder folder_;
  std::string out_, err_;
};

TEST_F(MakeReport, EndsWithTheNameOfItsPage) {
  for (const int seed : {0, 1}) {
    std::filesystem::create_directories(folder_ / fmt::format("runs/{}", seed));
    results::write_result(folder_ / fmt::format("runs/{}/result.h5", seed), made({.seed = seed}));
  }
  EXPECT_EQ(run("runs -o 'sub/my report.html' --title \"It's\""), 0) << err_;
  EXPECT_TRUE(out_.ends_with("\nreport: sub/my report.html\n")) << out_;
  EXPECT_EQ(err_, "");
  EXPECT_EQ(data_of(test::bytes_of(folder_ / "sub/my report.html"))["runs"].size(), 2u);
  EXPECT_TRUE(has(test::bytes_of(folder_ / "sub/my report.md"),
                  "    make_report runs -o 'sub/my report.html' --title 'It'\\''s'\n"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "sub/my report.csv"));
}

TEST_F(MakeReport, EndsWithOneLineForWhatItCannotReportOn) {
  EXPECT_EQ(run("nowhere -o report.html"), 2);
  EXPECT_EQ(err_, "make_report: nowhere: no such file or folder\n");
  EXPECT_EQ(run("out -o report.html"), 2);
  EXPECT_EQ(err_, "make_report: out: is not an HDF5 file\n");
  EXPECT_EQ(run("out"), 2);
  EXPECT_TRUE(has(err_, "--output is required")) << err_;
  const auto result = folder_ / "result.h5";
  results::write_result(result, made({}));
  std::filesystem::resize_file(result, std::filesystem::file_size(result) / 2);
  for (const std::string files : {"result.h5", "result.h5 out"}) {
    EXPECT_EQ(run(files + " -o report.html"), 2);
    EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << err_;
    EXPECT_TRUE(has(err_, "result.h5: ")) << err_;
    EXPECT_EQ(out_, "");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "report.html"));
  }
}

TEST_F(MakeReport, LeavesOutWhatItCannotReadAndSaysSo) {
  for (const int seed : {0, 1, 2, 3}) {
    std::filesystem::create_directories(folder_ / fmt::format("runs/{}", seed));
    results::write_result(folder_ / fmt::format("runs/{}/result.h5", seed), made({.seed = seed}));
  }
  std::filesystem::resize_file(folder_ / "runs/1/result.h5", 5000);
  std::ofstream(folder_ / "runs/3/result.h5") << "hello";
  EXPECT_EQ(run("runs -o report.html"), 1);
  EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 2) << err_;
  EXPECT_TRUE(err_.starts_with("make_report: left out: runs/1/result.h5: ")) << err_;
  EXPECT_TRUE(has(err_, "\nmake_report: left out: runs/3/result.h5: is not an HDF5 file\n")) << err_;
  EXPECT_TRUE(out_.starts_with("2 results, ")) << out_;
  EXPECT_TRUE(out_.ends_with("\nreport: report.html\n")) << out_;
  const auto data = data_of(test::bytes_of(folder_ / "report.html"));
  EXPECT_EQ(data["runs"].size(), 2u);
  EXPECT_TRUE(has(data["sentence"].get<std::string>(), "2 results could not be read and are left out"))
      << data["sentence"];
  EXPECT_EQ(data["failed"][1]["name"], "runs/3/result.h5");
  EXPECT_EQ(data["failed"][1]["message"], "is not an HDF5 file");
  EXPECT_TRUE(has(test::bytes_of(folder_ / "report.md"), "- runs/3/result.h5: is not an HDF5 file"));
}

TEST_F(MakeReport, TakesTheReferenceThatIsNamed) {
  results::write_result(folder_ / "a.h5", made({.l2 = "0"}));
  results::write_result(folder_ / "b.h5", made({.l2 = "0.1"}));
  EXPECT_EQ(run("a.h5 b.h5 -o report.html --reference b.h5"), 0) << err_;
  EXPECT_EQ(data_of(test::bytes_of(folder_ / "report.html"))["families"][0]["reference"], 1);
  EXPECT_EQ(run("a.h5 -o report.html --reference b.h5"), 2);
  EXPECT_EQ(err_, "make_report: --reference b.h5: is none of the results\n");
}

TEST_F(MakeReport, RefusesAnAxisThatNoResultHas) {
  results::write_result(folder_ / "a.h5", made({.l2 = "0"}));
  results::write_result(folder_ / "b.h5", made({.l2 = "0.1"}));
  EXPECT_EQ(run("a.h5 b.h5 -o report.html --axis regularisation.l3"), 2);
  EXPECT_EQ(
      err_,
      "make_report: axis regularisation.l3: no result has this key; did you mean 'regularisation.l1'?\n");
  EXPECT_EQ(run("a.h5 b.h5 -o report.html --axis nothing"), 2);
  EXPECT_EQ(err_, "make_report: axis nothing: no result has this key\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report.html"));
  // Keys that all results share, or that repeat a run, are no mistake.
  EXPECT_EQ(run("a.h5 b.h5 -o report.html --axis regularisation.l2 --axis training.epochs --axis split.fold "
                "--axis model[1].dropout.rate"),
            0)
      << err_;
}

}  // namespace
}  // namespace timbre::report
