#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <sstream>

#include "core/error.hpp"
#include "records.hpp"
#include "report/analysis.hpp"
#include "report/page.hpp"
#include "storage/hdf5.hpp"

namespace timbre::report {
namespace {

using test::message_of;

TEST(Report, TestFiguresOfAllOthersAreNowhere) {
  // Every test accuracy is another one; only 0.8 (chosen) and 0.1 (reference) may be read anywhere.
  Results r;
  r.add({.l2 = "0", .validation_right = 4, .test_right = 1});
  r.add({.l2 = "0.5", .validation_right = 9, .test_right = 8});
  r.add({.l2 = "0.6", .validation_right = 3, .test_right = 10});
  r.add({.l2 = "0.7", .validation_right = 2, .test_right = 7});
  // Clips that only the withheld ones are tested on may not be named either.
  for (const auto* l2 : {"0.8", "0.9"})
    r.add({.l2 = l2, .validation_right = 3, .test_right = 2, .first_test_clip = 50});
  r.write();
  const auto data = data_of(r.html());
  const auto& configurations = data["families"][0]["configurations"];
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < configurations.size(); ++i)
    if (configurations[i].contains("test")) shown.push_back(i);
  EXPECT_EQ(shown, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(configurations[1]["test"]["clip"]["mean"], 0.8);
  for (const auto& run : data["runs"])
    for (const auto& [name, value] : run.items()) EXPECT_FALSE(has(name, "test")) << name;
  for (const auto& text : {r.html(), r.csv(), r.markdown()})
    EXPECT_FALSE(has(text, "clip5")) << text.substr(0, 200);
  EXPECT_TRUE(has(data["selection"].get<std::string>(), "6 configurations were compared"));
  EXPECT_TRUE(has(data["selection"].get<std::string>(), "withheld by design"));
  EXPECT_TRUE(has(r.markdown(), "withheld by design"));

  // The same page and tables come of other test results of the withheld ones: nothing depends on them.
  Results other;
  other.add({.l2 = "0", .validation_right = 4, .test_right = 1});
  other.add({.l2 = "0.5", .validation_right = 9, .test_right = 8});
  other.add({.l2 = "0.6", .validation_right = 3, .test_right = 0});
  other.add({.l2 = "0.7", .validation_right = 2, .test_right = 3});
  for (const auto* l2 : {"0.8", "0.9"})
    other.add({.l2 = l2, .validation_right = 3, .test_right = 5, .first_test_clip = 70});
  other.write();
  EXPECT_EQ(r.html(), other.html());
  EXPECT_EQ(r.csv(), other.csv());
  EXPECT_EQ(r.markdown(), other.markdown());
}

TEST(Report, TheTableHoldsTheFigures) {
  const auto r = sweep();
  r.write();
  std::istringstream lines(r.csv());
  std::string line;
  const auto cells = [&] {
    std::vector<std::string> out;
    std::getline(lines, line);
    std::string cell;
    bool quoted = false;
    for (const char c : line)
      if (c == '"')
        quoted = !quoted;
      else if (c == ',' && !quoted)
        out.push_back(cell), cell.clear();
      else
        cell += c;
    out.push_back(cell);
    return out;
  };
  const auto head = cells();
  std::vector<std::map<std::string, std::string>> rows;
  while (lines.peek() != EOF) {
    const auto row = cells();
    ASSERT_EQ(row.size(), head.size()) << line;
    rows.emplace_back();
    for (std::size_t i = 0; i < head.size(); ++i) rows.back()[head[i]] = row[i];
  }
  ASSERT_EQ(rows.size(), 6u);
  auto& best = rows[5];
  EXPECT_EQ(best["model"], "mlp");
  EXPECT_EQ(best["configuration"], "l2 0.1, dropout 0.2");
  EXPECT_EQ(best["regularisation.l2"], "0.1");
  EXPECT_EQ(best["chosen"], "1");
  EXPECT_EQ(best["scored"], "3");
  EXPECT_EQ(best["validation_clip_accuracy"], "0.8");
  EXPECT_EQ(best["validation_minus_reference"], "0.2");
  EXPECT_EQ(best["test_clip_accuracy"], "0.7");
  EXPECT_EQ(best["test_clip_sd"], "0");
  EXPECT_EQ(best["test_clips"], "14");            // 0 to 9, 2 to 11, 4 to 13
  EXPECT_EQ(best["train_accuracy"], "0.833333");  // of epoch 3, the kept one
  EXPECT_EQ(best["gap"], "0.0333333");
  EXPECT_EQ(best["seconds_per_prediction"], "0.05");
  EXPECT_EQ(best["epochs_run"], "4");
  EXPECT_EQ(best["best_epoch"], "3");
  EXPECT_EQ(rows[0]["reference"], "1");
  EXPECT_EQ(rows[0]["test_clip_accuracy"], "0.6");
  for (const auto i : {1, 2, 3, 4})
    for (const auto& [name, value] : rows[i])
      EXPECT_TRUE(!name.starts_with("test_") || value.empty()) << i << " " << name;
  EXPECT_TRUE(has(r.markdown(), "| mlp: l2 0.1, dropout 0.2 | 70.0% |")) << r.markdown();
  EXPECT_TRUE(has(r.markdown(), "| mlp: l2 0, dropout off (reference) | 60.0% |")) << r.markdown();
}

TEST(Report, EqualModelsCannotBeToldApart) {
  Results r;
  r.add({.experiment = "cnn", .test_right = 6});
  r.add({.experiment = "mlp", .test_right = 5});
  r.write();
  EXPECT_TRUE(has(r.markdown(), "cnn and mlp cannot be distinguished on 10 test clips: +10.0 points"))
      << r.markdown();
  EXPECT_FALSE(has(r.markdown(), "is better than"));
}

TEST(Report, StampsStandBesideTheFigures) {
  Results r;
  auto leaking = made({.validation_right = 10, .test_right = 10});
  leaking.split.leaks = true, leaking.split.clip_share_in_train = 0.75, leaking.key = "leaking";
  auto synthetic = made({.experiment = "cnn"});
  synthetic.synthetic = true;
  r.add({.test_right = 6});
  r.add(leaking);
  r.add(synthetic);
  r.write();
  const auto data = data_of(r.html());
  ASSERT_EQ(data["families"].size(), 3u);  // of what leaks, and what does not, the better is not chosen
  EXPECT_EQ(data["families"][0]["stamps"], Json::array());
  EXPECT_EQ(data["families"][1]["name"], "mlp (leaks)");
  EXPECT_EQ(data["families"][1]["stamps"], Json({"LEAKS"}));
  EXPECT_EQ(data["families"][2]["stamps"], Json({"SYNTHETIC"}));
  EXPECT_EQ(
      data["stamps"][1]["text"],
      "75.0% of the test clips have segments in the training part; the figures are too good (1 of 3 runs)");
  for (const auto& c : data["comparisons"]) EXPECT_TRUE(c.contains("not_compared")) << c;
  EXPECT_TRUE(has(r.markdown(), "| mlp (leaks) **LEAKS** | 0 | 100.0%")) << r.markdown();
  EXPECT_TRUE(has(r.markdown(), "| cnn **SYNTHETIC** | synthetic |")) << r.markdown();
  EXPECT_TRUE(has(r.csv(), "mlp (leaks),,0,1,1,0,1,")) << r.csv();
}

TEST(Report, RunsThatDivergedAreNamedAndCannotBeChosen) {
  Results r;
  r.add({.seed = 0, .l2 = "0", .validation_right = 5});
  r.add({.seed = 0, .l2 = "0.1", .validation_right = 9});
  auto bad = made({.seed = 1, .l2 = "0.1"});
  bad.status = "diverged", bad.message = "the loss became NaN in epoch 1", bad.validation.reset(),
  bad.test.reset();
  r.add(bad);
  Options options{.failed = {{"l2=0.2, seed 0", "out of memory"}}, .planned = 4};
  r.write(options);
  const auto a = analyse(r.files(), {});
  EXPECT_EQ(*a.families[0].chosen, 0u);
  EXPECT_EQ(a.families[0].configurations[1].diverged, 1);
  const auto data = data_of(r.html());
  EXPECT_EQ(data["runs"][2]["message"], "the loss became NaN in epoch 1");
  EXPECT_EQ(data["failed"][0]["message"], "out of memory");
  EXPECT_TRUE(has(r.markdown(), "mlp: 1 run diverged and could not be scored")) << r.markdown();
  EXPECT_TRUE(has(r.markdown(), "4 runs planned, 1 without a result")) << r.markdown();
  EXPECT_TRUE(has(r.markdown(), "- l2=0.2, seed 0: out of memory")) << r.markdown();
  EXPECT_TRUE(has(r.markdown(), "- mlp: l2 0.1, seed 1: diverged: the loss became NaN in epoch 1"))
      << r.markdown();

  Results only;  // nothing else is there to choose
  only.add(bad);
  only.add({.seed = 0, .l2 = "0.1", .validation_right = 9});
  EXPECT_EQ(analyse(only.files(), {}).families[0].chosen, 0u);
  Results none;
  none.add(bad);
  none.write();
  EXPECT_TRUE(has(none.markdown(), "no run was scored")) << none.markdown();
}

TEST(Report, RequestsThatCannotBeMetAreRefusedInOneLine) {
  const test::TemporaryFolder folder;
  const auto page = folder / "report.html";
  const auto refusal = [&](const std::vector<std::filesystem::path>& files,
                           const std::filesystem::path& html) {
    const auto message = message_of<RequestError>([&] { write_report(files, html, {}); });
    EXPECT_EQ(message.find('\n'), message.npos) << message;
    EXPECT_FALSE(std::filesystem::exists(page));
    return message;
  };
  EXPECT_EQ(refusal({}, page), "no result to report on");
  EXPECT_EQ(refusal({folder / "none.h5"}, page), (folder / "none.h5").string() + ": no such file");
  std::ofstream(folder / "a.txt") << "hello";
  EXPECT_EQ(refusal({folder / "a.txt"}, page), (folder / "a.txt").string() + ": is not an HDF5 file");
  storage::H5File::create(folder / "other.h5").close();
  EXPECT_TRUE(has(refusal({folder / "other.h5"}, page), "other.h5: "));

  Results r;
  const auto first = r.add(Made{});
  auto differs = made({});
  differs.history.val_loss[0] += 1e-9;  // reproduce would have told
  const auto twice = r.add(differs);
  EXPECT_TRUE(has(refusal({first, twice}, page),
                  "are results of the same run (key mlp-0-0-null-null-0), but differ: leave one out"));
  auto record = made({});
  record.key = "another";
  EXPECT_TRUE(has(refusal({first, r.add(record)}, page),
                  "have the same configuration and seed, but are not the same run"));
  EXPECT_TRUE(has(refusal({first}, folder.path()), "is a folder"));
  EXPECT_TRUE(has(refusal({first}, folder / "report.csv"), "cannot end in .csv"));
  EXPECT_TRUE(has(message_of<RequestError>([&] { find_results(folder.path()); }), "no result.h5 in it"));
}

TEST(Report, AResultAndItsCopyMadeAgainAreOne) {
  Results r;
  const auto first = r.add(Made{});
  std::filesystem::create_directories(r / "key-again");
  std::filesystem::copy_file(first, r / "key-again/result.h5");
  const auto a = analyse({r / "key-again/result.h5", first}, {});
  ASSERT_EQ(a.runs.size(), 1u);
  EXPECT_EQ(a.runs[0].file, first);  // the original, whichever comes first
  EXPECT_EQ(a.copies, (std::vector<std::string>{(r / "key-again/result.h5").string()}));
  const auto written = write_report({first, r / "key-again/result.h5"}, r.page(), {});
  EXPECT_EQ(written.runs, 1u);
  EXPECT_TRUE(has(r.markdown(), "counted once"));
}

TEST(Report, HostileNamesStayText) {
  const std::string nasty = "</script><b onclick=\"x\">&'|`*\x01\xff";
  Results r;
  auto record = made({.experiment = "mlp"});
  record.experiment = nasty, record.label_names = {nasty + "0", nasty + "1"},
  record.environment = {{nasty, nasty}};
  record.bad_files = {{nasty, nasty}}, record.split.notes = {{nasty, nasty}};
  auto& clips = record.test->clips.path;
  for (auto& path : clips) path += nasty;
  r.add(record);
  r.write({.title = nasty,
           .command = nasty,
           .failed = {{nasty, nasty}},
           .examples = {{nasty, nasty, "<svg></svg>"}}});
  const auto html = r.html();
  const auto count = [&](const std::string& part) {
    std::size_t n = 0;
    for (auto at = html.find(part); at != html.npos; at = html.find(part, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("<b onclick"), 0u);
  EXPECT_EQ(count("</script>"), 3u);  // the page's own
  EXPECT_EQ(data_of(html)["failed"][0]["name"].get<std::string>().substr(0, 9), "</script>");
  std::istringstream lines(r.markdown());
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(line.starts_with("    ") || (!has(line, "<b ") && !has(line, "</script>")))
        << line;  // indented: code
  EXPECT_TRUE(has(r.markdown(), "\\|\\`\\*"));
}

TEST(Report, TheSameResultsGiveTheSameBytes) {
  const auto r = sweep();
  const auto written = r.write({.title = "again"});
  const auto html = r.html(), csv = r.csv(), markdown = r.markdown();
  EXPECT_EQ(written.bytes, html.size());
  r.write({.title = "again"});
  EXPECT_EQ(r.html(), html);
  EXPECT_EQ(r.csv(), csv);
  EXPECT_EQ(r.markdown(), markdown);
}

TEST(Report, ThePageHoldsItsFilesAsTheyAre) {
  for (const std::string name : {"report.html", "report.css", "parts.js", "charts.js", "report.js"})
    EXPECT_EQ(embedded(name),
              test::bytes_of(std::filesystem::path(TIMBRE_SOURCE_DIR) / "src/report/page" / name))
        << name;
  EXPECT_TRUE(has(embedded("chart.min.js"), "Chart.js v3"));
  Results r;
  r.add(Made{});
  r.write();
  const auto html = r.html();
  EXPECT_TRUE(has(html, "default-src 'none'"));
  for (const std::string part : {"http-equiv=\"refresh\"", "src=\"http", "href=\"http", "@import", "url(",
                                 "fetch(", "XMLHttpRequest", "sourceMappingURL"})
    EXPECT_FALSE(has(html, part)) << part;
}

TEST(Report, FiveHundredRunsMakeAPageOfLessThan15MB) {
  Results r;
  for (int seed = 0; seed < 5; ++seed)
    for (int i = 0; i < 10; ++i)
      for (int j = 0; j < 10; ++j)
        r.add({.seed = seed,
               .l2 = fmt::format("{}e-4", i + 1),
               .dropout = fmt::format("0.{}", j),
               .validation_right = (i + j + seed) % 10,
               .test_right = (i * j) % 10,
               .epochs = 40});
  const auto start = std::chrono::steady_clock::now();
  const auto written = r.write();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("500 results: %.1f MB in %.1f s\n", double(written.bytes) / 1e6, seconds);
  EXPECT_LT(written.bytes, 15'000'000u);
  EXPECT_EQ(data_of(r.html())["runs"].size(), 500u);
}

}  // namespace
}  // namespace timbre::report
