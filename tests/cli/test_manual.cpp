// What the commands say of themselves: --version, --help, --explain, and the JSON Schemas that lie beside them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/terminal.hpp"
#include "config/json_schema.hpp"
#include "config/json_validator.hpp"
#include "end_to_end/process.hpp"
#include "end_to_end/small_run.hpp"

namespace timbre::cli {
namespace {

namespace fs = std::filesystem;
using namespace end_to_end;

TEST(Manual, EveryCommandKnowsItsVersion) {
  int commands = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(TIMBRE_SOURCE_DIR) / "tools")) {
    if (entry.path().extension() != ".cpp") continue;
    const auto name = entry.path().stem().string();
    const auto version = run_process({command(name), "--version"});
    EXPECT_EQ(version.status, 0) << name << ": " << version.err;
    EXPECT_EQ(version.out, name + " (Timbre) " TIMBRE_VERSION "\n");
    const auto help = run_process({command(name), "--help"});
    EXPECT_EQ(help.status, 0) << name;
    EXPECT_NE(help.out.find("--version"), std::string::npos) << name;
    ++commands;
  }
  EXPECT_GE(commands, 8);
}

TEST(Manual, ExplainsAllKeysWithoutAConfiguration) {
  const auto all = run_process({command("run_experiment"), "--explain"});
  EXPECT_EQ(all.status, 0) << all.err;
  for (const char* words : {"training.optimizer.adam\n", "model.lstm\n", "features.kind\n", "  batch_size"})
    EXPECT_NE(all.out.find(words), std::string::npos) << words;
  EXPECT_EQ(all.out.find('\x1b'), std::string::npos) << "bold text is for terminals";
  const auto study = run_process({command("run_study"), "--explain"});
  EXPECT_EQ(study.status, 0) << study.err;
  EXPECT_NE(study.out.find("  axes"), std::string::npos);
}

TEST(Manual, ExplainsAKeyAndAPart) {
  const auto key = run_process({command("run_experiment"), "--explain", "training.batch_size"});
  EXPECT_EQ(key.status, 0) << key.err;
  EXPECT_TRUE(key.out.starts_with("training.batch_size\n")) << key.out;
  const auto part = run_process({command("run_experiment"), "--explain", "lstm"});
  EXPECT_NE(part.out.find("return_sequences"), std::string::npos) << part.out;
  // A study's axes name keys of configurations.
  const auto axis = run_process({command("run_study"), "--explain", "regularisation.l2"});
  EXPECT_EQ(axis.status, 0) << axis.err;
  const auto wrong = run_process({command("run_experiment"), "--explain", "training.epoch"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_EQ(wrong.err, "run_experiment: there is no key 'training.epoch'; did you mean 'training.epochs'?\n");
  const auto without = run_process({command("run_experiment"), "--json"});
  EXPECT_EQ(without.status, 2);
  EXPECT_EQ(line_count(without.err), 1u) << without.err;
}

TEST(Manual, SchemasLieBesideTheCommandsAndFitTheFiles) {
  for (const auto& [name, folder] :
       {std::pair{"run_experiment", "configs"}, std::pair{"run_study", "experiments"}}) {
    const auto printed = run_process({command(name), "--explain", "--json"});
    ASSERT_EQ(printed.status, 0) << printed.err;
    const auto file =
        fs::path(TIMBRE_BIN_DIR).parent_path() / "share/timbre" / (std::string(name) + ".schema.json");
    EXPECT_EQ(read_file(file), printed.out) << file;
    const config::JsonValidator validator(nlohmann::ordered_json::parse(printed.out));
    for (const auto& entry : fs::directory_iterator(fs::path(TIMBRE_SOURCE_DIR) / folder))
      if (entry.path().extension() == ".yaml")
        EXPECT_TRUE(validator.valid(config::to_json(config::load_file(entry.path())))) << entry.path();
  }
  const auto part = run_process({command("run_experiment"), "--explain", "adam", "--json"});
  EXPECT_TRUE(nlohmann::json::parse(part.out).at("properties").contains("beta_1")) << part.out;
}

TEST(Manual, MisspeltOptionsAreNamedWithWhatWasMeant) {
  const auto said = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), command("run_experiment"));
    const auto outcome = run_process(arguments);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  const std::string help = " (see run_experiment --help)\n";
  EXPECT_EQ(said({"a.yaml", "--dryrun"}),
            "run_experiment: unknown option '--dryrun'; did you mean '--dry-run'?" + help);
  EXPECT_EQ(said({"a.yaml", "--ste", "a=b"}),
            "run_experiment: unknown option '--ste'; did you mean '--set'?" + help);
  EXPECT_EQ(said({"a.yaml", "--ste=a=b"}),
            "run_experiment: unknown option '--ste'; did you mean '--set'?" + help);
  EXPECT_EQ(said({"--dryrun"}),
            "run_experiment: unknown option '--dryrun'; did you mean '--dry-run'?" + help);
  EXPECT_EQ(said({"a.yaml", "b.yaml"}), "run_experiment: unexpected argument 'b.yaml'" + help);
  EXPECT_EQ(said({"a.yaml", "--xyzzy"}), "run_experiment: unknown option '--xyzzy'" + help);
  EXPECT_NE(said({}).find("CONFIG is required"), std::string::npos);
}

/// What the terminal showed of training.
std::vector<std::string> shown(const TemporaryFolder& folder, int columns) {
  const auto outcome =
      run_process({command("run_experiment"), "run.yaml", "--force", "--set", "training.epochs=3"},
                  {.folder = folder.path(), .terminal_columns = columns});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return shown_lines(outcome.err);
}

TEST(Manual, LinesOfAnEpochFitTheTerminal) {
  TemporaryFolder folder;
  write_small_run(folder / "run.yaml", "mlp");
  for (const int columns : {60, 80, 100, 140}) {
    int epochs = 0;
    for (const auto& line : shown(folder, columns)) {
      const bool metrics = line.find("val_accuracy") != line.npos;
      if (!metrics && (line.find("accuracy: ") == line.npos || line.starts_with("baselines"))) continue;
      EXPECT_LT(columns_of(line), std::size_t(columns)) << line;
      epochs += metrics;
      if (!metrics) continue;
      EXPECT_NE(line.find("val_loss"), line.npos) << line;
      EXPECT_EQ(line.find("/step") != line.npos, columns == 140) << line;
      if (columns >= 80) EXPECT_NE(line.find("- loss"), line.npos) << line;
    }
    EXPECT_EQ(epochs, 3) << "at " << columns << " columns";
  }
}

TEST(Manual, AStudyThatGoesOnKnowsTheBestThatWasFinished) {
  TemporaryFolder folder;
  write_small_run(folder / "mlp.yaml", "mlp");
  write_file(folder / "study.yaml", "study: s\nbase: mlp.yaml\nseeds: [0, 1]\n");
  const auto run = [&](const std::string& seeds) {
    return run_process({command("run_study"), "study.yaml", "--seeds", seeds, "--jobs", "1"},
                       {.folder = folder.path(), .terminal_columns = 100});
  };
  ASSERT_EQ(run("0").status, 0);
  const auto again = run("0,1");
  ASSERT_EQ(again.status, 0) << again.err;
  // Before the second run has ended, only the first can be the best.
  const auto lines = shown_lines(again.err);
  const auto best =
      std::find_if(lines.begin(), lines.end(), [](const auto& l) { return l.starts_with("best so far: "); });
  ASSERT_NE(best, lines.end()) << again.err;
  EXPECT_NE(best->find("seed=0"), best->npos) << *best;
}

}  // namespace
}  // namespace timbre::cli
