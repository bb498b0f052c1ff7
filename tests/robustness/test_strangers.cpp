// What strangers send, through the commands: result files that lie, folders with links and pipes, and a stdout that is
// full. Every command ends with 0, 1 or 2 and one line, and nothing of another file is read or written.
#include <gtest/gtest.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "results/run_record.hpp"
#include "robustness/support.hpp"
#include "storage/hdf5.hpp"
#include "storage/seal.hpp"

namespace timbre::robustness {
namespace {

using end_to_end::command;
using end_to_end::Outcome;
using end_to_end::read_file;
using end_to_end::run_process;
using end_to_end::write_file;

constexpr const char* tiny = R"(experiment: tiny
dataset: {synthetic: {clips_per_genre: 5, clip_seconds: 3}, segment_seconds: 1}
features: {kind: mfcc, n_fft: 1024, hop_length: 4096, standardise: true}
model: [flatten, dense: {units: 8, activation: relu}, dense: {units: classes, activation: softmax}]
training: {epochs: 4}
)";

/// One finished run, made once for all tests.
class Strangers : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = new end_to_end::TemporaryFolder;
    write_file(*root_ / "tiny.yaml", tiny);
    const auto made = run_process({run_experiment(), "tiny.yaml", "--out", "run"}, {.folder = root_->path()});
    ASSERT_EQ(made.status, 0) << made.err;
    std::string wav(
        "RIFF\x24\x30\x02\x00WAVEfmt "
        "\x10\0\0\0\x01\0\x01\0\x22\x56\0\0\x44\xac\0\0\x02\0\x10\0data\0\x30\x02\0",
        44);
    for (int i = 0; i < 0x23000 / 2; ++i) {
      const auto v = std::int16_t(8000 * std::sin(0.05 * i));
      wav.append(reinterpret_cast<const char*>(&v), 2);
    }
    write_file(*root_ / "song.wav", wav);
  }
  static void TearDownTestSuite() { delete std::exchange(root_, nullptr); }

  const end_to_end::TemporaryFolder folder;
  static fs::path good() { return *root_ / "run/result.h5"; }
  static fs::path song() { return *root_ / "song.wav"; }

  /// The four commands that read a stranger's file, on one.
  std::vector<Outcome> read_by_all(const fs::path& file, const std::vector<std::string>& extra = {}) const {
    std::vector<Outcome> out;
    for (std::vector<std::string> c : {std::vector<std::string>{command("inspect"), file},
                                       {command("predict"), file, song()},
                                       {command("make_report"), file, good(), "-o", folder / "r.html"},
                                       {command("reproduce"), file, "--out", folder / "again"}}) {
      c.insert(c.end(), extra.begin(), extra.end());
      out.push_back(run_process(c, {.folder = folder.path(), .limit_seconds = 20}));
    }
    return out;
  }
  static void expect_one_line(const Outcome& o, const fs::path& file) {
    EXPECT_TRUE(o.status == 1 || o.status == 2) << o.status << ": " << o.err;
    EXPECT_EQ(end_to_end::line_count(o.err), 1u) << o.err;
    EXPECT_NE(o.err.find(file.filename().string()), std::string::npos) << o.err;
  }
  static results::RunRecord record() { return results::read_result(good()); }

  static end_to_end::TemporaryFolder* root_;
};
end_to_end::TemporaryFolder* Strangers::root_ = nullptr;

TEST_F(Strangers, AFileOfTheirOwnIsNamedAndTheReportGoesOn) {
  const auto file = folder / "evil.h5", secret = folder / "secret";
  write_file(secret, std::string(600, 's'));
  const auto change = [&](const char* object, hid_t type, hsize_t size, hid_t list) {
    // As of an earlier version, which wrote no checksum: HDF5 itself does not mind where its part begins.
    write_file(file, read_file(good()).substr(storage::seal_bytes));
    const auto id = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    ASSERT_GE(id, 0);
    H5Ldelete(id, object, H5P_DEFAULT);
    const auto space = H5Screate_simple(1, &size, nullptr);
    const auto set = H5Dcreate2(id, object, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    ASSERT_GE(set, 0);
    H5Dclose(set), H5Sclose(space), H5Pclose(list), H5Fclose(id);
  };
  const auto chunked = [](hsize_t size) {
    const auto list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 1, &size);
    return list;
  };
  const auto text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, 60);

  const auto elsewhere = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(elsewhere, secret.c_str(), 0, 600);
  change("label_names", text, 10, elsewhere);
  for (const auto& o : read_by_all(file)) {
    expect_one_line(o, file);
    EXPECT_NE(o.err.find("/label_names: lies in another file"), std::string::npos) << o.err;
    EXPECT_EQ((o.out + o.err).find("ssss"), std::string::npos);
  }
  const auto page = read_file(folder / "r.html");
  EXPECT_FALSE(page.empty()) << "the report went down with it";
  EXPECT_EQ(page.find("ssss"), std::string::npos);

  change("split/train", H5T_STD_I32LE, 500'000'000, chunked(1 << 20));
  for (const auto& o : read_by_all(file)) {
    expect_one_line(o, file);
    EXPECT_NE(o.err.find("/split/train: is damaged"), std::string::npos) << o.err;
  }
  H5Tclose(text);
}

TEST_F(Strangers, DamageInsideTheLibraryIsOneLine) {
  // Eight random bytes within the first 4 kB, forty times over, without a checksum that would tell: some crash the library, some
  // do not matter.
  const auto whole = read_file(good()).substr(512);
  const auto file = folder / "bent.h5";
  std::mt19937 random(7);
  const int tries = number_from("TIMBRE_FLIPS", 40);
  for (int i = 0; i < tries; ++i) {
    auto bent = whole;
    for (int k = 0; k < 8; ++k) bent[8 + random() % 4000] = char(random());
    write_file(file, bent);
    const auto o = run_process({command("inspect"), file.string()}, {.limit_seconds = 20});
    EXPECT_TRUE(o.status == 0 || o.status == 1 || o.status == 2) << o.status << " for bytes of try " << i;
    EXPECT_LE(end_to_end::line_count(o.err), 1u) << o.err;
  }
}

TEST_F(Strangers, WhatAnotherProgramChangedIsReadOnlyIfAsked) {
  const auto file = folder / "changed.h5";
  fs::copy_file(good(), file);
  const auto id = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Adelete(id, "message");
  H5Fclose(id);
  ASSERT_EQ(storage::read_seal(file), storage::Seal::broken);
  for (const auto& o : read_by_all(file)) {
    expect_one_line(o, file);
    EXPECT_NE(o.err.find("has changed since Timbre wrote it"), std::string::npos) << o.err;
    EXPECT_NE(o.err.find("--unverified"), std::string::npos) << o.err;
  }
  fs::remove(folder / "r.html");
  const auto asked = read_by_all(file, {"--unverified"});
  EXPECT_EQ(asked[0].status, 0) << asked[0].err;
  EXPECT_EQ(asked[1].status, 0) << asked[1].err;
  EXPECT_EQ(asked[2].status, 0) << asked[2].err;  // it and the good one are the same run, and count as one
  EXPECT_EQ(asked[3].status, 0) << asked[3].err;
}

TEST_F(Strangers, EscapesDoNotReachTheTerminal) {
  auto r = record();
  for (std::size_t i = 0; i < r.label_names.size(); ++i)
    r.label_names[i] = "\x1b]0;pwned\x07\x1b[31mred" + std::to_string(i) +
                       "\xc2\x9b"
                       "2J";
  const std::string escape = "\x1b[2J\xc2\x9b";
  r.split.looked = true;
  r.split.related.push_back({{"a.wav", "b.wav", true, 0, 0}, escape, escape});
  r.split.shares.push_back({escape, escape, "artist", 3, 2, 1});
  r.experiment = "\x1b[2J", r.status = "\x1b[31mfoo", r.version = "\x1b[0m";
  r.config += "# \x1b]52;c;cm0gLXJmIH4=\x07\n";
  results::write_result(folder / "ansi.h5", r);
  auto outcomes = read_by_all(folder / "ansi.h5");
  outcomes.push_back(run_process({command("inspect"), folder / "ansi.h5", "--config"}));
  for (const auto* form : {"--csv", "--json"})
    outcomes.push_back(run_process({command("predict"), folder / "ansi.h5", song(), form}));
  for (const auto& o : outcomes)
    for (const auto* bad : {"\x1b", "\x07", "\xc2\x9b"})
      EXPECT_EQ((o.out + o.err).find(bad), std::string::npos) << o.out << o.err;
  EXPECT_NE(outcomes[0].out.find("\\x1b"), std::string::npos);
}

TEST_F(Strangers, WeightsThatAreNoNumbersPredictNothing) {
  auto r = record();
  r.weights[0].data[3] = std::numeric_limits<float>::quiet_NaN();
  results::write_result(folder / "nan.h5", r);
  auto o = run_process({command("predict"), folder / "nan.h5", song()});
  EXPECT_EQ(o.status, 1);
  EXPECT_EQ(o.out, "");
  EXPECT_NE(o.err.find("not all finite"), std::string::npos) << o.err;
  r = record();
  for (auto& v : r.weights[0].data) v = 3e38f;
  for (auto& v : r.weights[2].data) v = 3e38f;
  results::write_result(folder / "huge.h5", r);
  o = run_process({command("predict"), folder / "huge.h5", song()});
  EXPECT_EQ(o.out.find("nan"), std::string::npos) << o.out;
  r = record();
  r.feature_std[0] = std::numeric_limits<float>::infinity();
  results::write_result(folder / "inf.h5", r);
  EXPECT_EQ(run_process({command("predict"), folder / "inf.h5", song()}).status, 1);
}

TEST_F(Strangers, ANetworkThatItsWeightsDoNotFillTakesNoMemory) {
  const auto with = [&](const std::string& name, const std::string& from, const std::string& to) {
    auto r = record();
    const auto at = r.config.find(from);
    ASSERT_NE(at, std::string::npos) << r.config;
    r.config.replace(at, from.size(), to);
    results::write_result(folder / name, r);
    Child child({command("predict"), folder / name, song()}, folder.path());
    EXPECT_TRUE(child.wait() == 1 || child.wait() == 2) << child.err();
    EXPECT_EQ(end_to_end::line_count(child.err()), 1u) << child.err();
#ifndef __SANITIZE_ADDRESS__
    EXPECT_LT(child.peak_bytes(), 200 << 20) << name;
#endif
  };
  std::string layers;
  for (int i = 0; i < 20000; ++i) layers += "  - dense: {units: 100}\n";
  with("units.h5", "units: 8", "units: 1000000");
  with("more.h5", "units: 8", "units: 1000000000000000000");
  with("layers.h5", "  - flatten: {}\n", "  - flatten: {}\n" + layers);
  with("long.h5", "segment_seconds: 1", "segment_seconds: 3600");
}

TEST_F(Strangers, AFolderWithLinksWritesNothingElsewhere) {
  write_file(folder / "tiny.yaml", tiny);
  const auto precious = folder / "precious";
  for (const auto* name : {".lock", "run.log", "config.yaml", "key", "result.h5", "checkpoint.h5"}) {
    write_file(precious, "precious\n");
    fs::remove_all(folder / "run");
    fs::create_directory(folder / "run");
    fs::create_symlink("../precious", folder / "run" / name);
    const auto o = run_process({run_experiment(), "tiny.yaml", "--out", "run"},
                               {.folder = folder.path(), .limit_seconds = 60});
    EXPECT_EQ(read_file(precious), "precious\n") << name;
    EXPECT_TRUE(o.status == 0 || o.status == 1 || o.status == 2) << name << ": " << o.err;
  }
  // What a person names is followed.
  write_file(folder / "page.html", "an earlier page\n");
  fs::create_symlink("page.html", folder / "named.html");
  const auto o = run_process({command("make_report"), good(), "-o", folder / "named.html"});
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_TRUE(fs::is_symlink(folder / "named.html"));
  EXPECT_NE(read_file(folder / "page.html").find("<html"), std::string::npos);
}

TEST_F(Strangers, AFolderWithPipesIsNotWaitedFor) {
  write_file(folder / "tiny.yaml", tiny);
  for (const auto* name : {"key", "run.log", "config.yaml", ".lock", "result.h5", "checkpoint.h5"}) {
    fs::remove_all(folder / "run");
    fs::create_directory(folder / "run");
    ASSERT_EQ(::mkfifo((folder / "run" / name).c_str(), 0600), 0);
    const auto o = run_process({run_experiment(), "tiny.yaml", "--out", "run"},
                               {.folder = folder.path(), .limit_seconds = 20});
    EXPECT_TRUE(o.status == 0 || o.status == 1 || o.status == 2) << name << " " << o.status << ": " << o.err;
  }
}

TEST_F(Strangers, AFullStandardOutputIsAFailure) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const auto shell = [&](const std::string& line) {
    return run_process({"/bin/sh", "-c", line + " > /dev/full"}, {.folder = folder.path()});
  };
  const auto result = "'" + good().string() + "'", audio = "'" + song().string() + "'";
  for (const auto& line : {command("inspect") + " " + result, command("inspect") + " --help",
                           command("predict") + " " + result + " " + audio,
                           command("predict") + " --csv " + result + " " + audio,
                           command("predict") + " --json " + result + " " + audio,
                           command("make_report") + " " + result + " -o r.html",
                           run_experiment() + " --dry-run '" + (*root_ / "tiny.yaml").string() + "'"}) {
    const auto o = shell(line);
    EXPECT_EQ(o.status, 1) << line;
    EXPECT_NE(o.err.find("cannot be written"), std::string::npos) << line << ": " << o.err;
  }
}

TEST_F(Strangers, AreReadWithClosedStandardStreams) {
  const auto file = folder / "old.h5";
  write_file(file, read_file(good()).substr(512));  // without a checksum: a process of its own reads it
  for (const char* closed : {"<&-", "<&- 2>&-"}) {
    const auto o = run_process({"/bin/sh", "-c", command("inspect") + " " + file.string() + " " + closed});
    EXPECT_EQ(o.status, 0) << closed << o.err;
    EXPECT_NE(o.out.find("  clip accuracy"), std::string::npos) << closed << o.out;
  }
  EXPECT_EQ(run_process({"/bin/sh", "-c", command("inspect") + " " + file.string() + " >&-"}).status, 1);
}

TEST_F(Strangers, ALimitToFilesLeavesNothingBehind) {
  write_file(folder / "tiny.yaml", tiny);
  fs::create_directory(folder / "run");
  const auto o =
      run_process({"/bin/sh", "-c", "ulimit -f 8; exec '" + run_experiment() + "' tiny.yaml --out run"},
                  {.folder = folder.path(),
                   // (a file that the disk refused stays open on purpose, see test_disk.cpp)
                   .environment = {{"ASAN_OPTIONS", "detect_leaks=0"}}});
  EXPECT_EQ(o.status, 1) << o.err;
  for (const auto& file : files_below(folder.path())) {
    EXPECT_FALSE(file.filename().string().starts_with(".tmp-")) << file;
    EXPECT_FALSE(file.extension() == ".lock" || file.filename() == ".lock") << file;
  }
}

TEST_F(Strangers, AFlippedBitNeverChangesAResult) {
  // Of a checkpoint, a store and a result, in the folders that Timbre itself reads: the same bytes at the end, and a line.
  write_file(folder / "tiny.yaml", tiny);
  const auto whole = folder / "whole";
  const std::vector<std::string> run{run_experiment(),       "tiny.yaml", "--out", "run",
                                     "--checkpoint-seconds", "0"};
  ASSERT_EQ(run_process(run, {.folder = folder.path()}).status, 0);
  fs::rename(folder / "run", whole);
  // A checkpoint in the middle.
  {
    Child child(run, folder.path());
    ASSERT_TRUE(child.wait_until([&] {
      return fs::exists(folder / "run/run.log") &&
             read_file(folder / "run/run.log").find("\nepoch 2/") != std::string::npos;
    }));
    child.signal(SIGKILL);
    child.wait();
  }
  if (!fs::exists(folder / "run/checkpoint.h5"))
    GTEST_SKIP() << "this machine was too quick to be stopped half-way";
  fs::rename(folder / "run", folder / "half");
  fs::path store;
  for (const auto& entry : fs::directory_iterator(folder / "runs/features"))
    if (entry.path().extension() == ".h5") store = entry.path();
  std::mt19937 random(11);
  const int flips = number_from("TIMBRE_FLIPS", 6);
  const auto flip = [&](const fs::path& file) {
    auto bytes = read_file(file);
    bytes[random() % bytes.size()] ^= char(1 << random() % 8);
    write_file(file, bytes);
  };
  const auto expect_same = [&](const Outcome& o, const char* what) {
    ASSERT_EQ(o.status, 0) << what << ": " << o.err;
    EXPECT_NE(o.err.find("checksum"), std::string::npos) << what << ": " << o.err;
    EXPECT_EQ(differences(folder / "run/result.h5", whole / "result.h5"), std::vector<std::string>{}) << what;
  };
  const auto again = [&](const fs::path& from) {
    fs::remove_all(folder / "run");
    fs::copy(from, folder / "run");
  };
  for (int i = 0; i < flips; ++i) {
    again(folder / "half");
    flip(folder / "run/checkpoint.h5");
    expect_same(run_process(run, {.folder = folder.path()}), "checkpoint");
    EXPECT_TRUE(fs::exists(folder / "run/damaged-checkpoint.h5"));
    again(folder / "half");
    flip(store);
    expect_same(run_process(run, {.folder = folder.path()}), "store");
    again(whole);
    flip(folder / "run/result.h5");
    expect_same(run_process(run, {.folder = folder.path()}), "result");
    EXPECT_TRUE(fs::exists(folder / "run/damaged-result.h5"));
  }
  again(folder / "half");  // and without a flip it goes on from there
  const auto o = run_process(run, {.folder = folder.path()});
  EXPECT_NE(o.err.find("goes on from a checkpoint"), std::string::npos) << o.err;
}

TEST_F(Strangers, ACheckpointOfAnotherShapeIsPutAside) {
  // Its checksum fits, its key too; what is in it does not.
  write_file(folder / "tiny.yaml", tiny);
  fs::create_directory(folder / "run");
  const auto key = read_file(*root_ / "run/key");
  write_file(folder / "run/key", key);
  auto h5 = storage::H5File::create(folder / "run/checkpoint.h5");
  h5.attribute("/", "schema", "timbre-checkpoint");
  h5.attribute("/", "key", key.substr(0, key.size() - 1));
  for (const auto* name :
       {"schema_version", "epoch", "batch", "best_epoch", "waited", "step", "correct", "rows", "bad_step"})
    h5.attribute("/", name, std::int64_t{std::strcmp(name, "schema_version") == 0});
  for (const auto* name : {"best", "seconds", "epoch_seconds", "loss_sum"}) h5.attribute("/", name, 0.0);
  for (const auto* name : {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"})
    h5.write(std::string("/history/") + name, std::vector<double>{}, {0});
  h5.attribute("/", "slots", std::int64_t{2});
  const std::vector<float> many(1'000'000, 1.0f);
  for (const auto* name : {"/arena", "/slot0", "/slot1", "/best_arena"}) h5.write(name, many, {1'000'000});
  h5.close();
  const auto o = run_process({run_experiment(), "tiny.yaml", "--out", "run"}, {.folder = folder.path()});
  EXPECT_EQ(o.status, 0) << o.err;
  EXPECT_NE(o.err.find("does not fit this run: weights of another model"), std::string::npos) << o.err;
  EXPECT_EQ(differences(folder / "run/result.h5", good()), std::vector<std::string>{});
}

TEST_F(Strangers, AStudyThatIsTooLargeIsToldAtOnce) {
  write_file(folder / "tiny.yaml", tiny);
  std::string values, seeds;
  for (int i = 0; i < 9999; ++i) values += (i > 0 ? ", " : "") + std::to_string(i + 1);
  for (int i = 0; i < 90000; ++i) seeds += (i > 0 ? ", " : "") + std::to_string(i);
  write_file(folder / "grid.yaml", "study: s\nbase: tiny.yaml\naxes:\n  training.epochs: [" + values +
                                       "]\n  training.batch_size: [" + values + "]\n");
  write_file(folder / "seeds.yaml", "study: s\nbase: tiny.yaml\nseeds: [" + seeds + "]\n");
  for (const auto* name : {"grid.yaml", "seeds.yaml"}) {
    Child child({command("run_study"), name, "--list"}, folder.path());
    EXPECT_EQ(child.wait(), 2) << child.err();
    EXPECT_NE(child.err().find("10000"), std::string::npos) << child.err();
#ifndef __SANITIZE_ADDRESS__
    EXPECT_LT(child.peak_bytes(), 300 << 20) << name;
#endif
  }
}

TEST_F(Strangers, ADecimalCommaChangesNothing) {
  // (A locale that is not installed is the C locale: the test is then weaker, not wrong.)
  const auto plain = run_process({command("inspect"), good()});
  for (const auto* locale : {"de_DE.UTF-8", "fr_FR.UTF-8"}) {
    const auto other = run_process({command("inspect"), good()}, {.environment = {{"LC_ALL", locale}}});
    EXPECT_EQ(other.out, plain.out) << locale;
  }
}

}  // namespace
}  // namespace timbre::robustness
