#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "record.hpp"
#include "results/environment.hpp"

namespace timbre::results {
namespace {

using storage::H5File;
using test::bytes_of;
using test::message_of;
using test::TemporaryFolder;

void expect_same(const Evaluation& a, const Evaluation& b) {
  EXPECT_EQ(a.probabilities, b.probabilities);
  EXPECT_EQ(a.label, b.label);
  EXPECT_EQ(a.prediction, b.prediction);
  EXPECT_EQ(a.clip, b.clip);
  EXPECT_EQ(a.segment, b.segment);
  EXPECT_EQ(a.accuracy, b.accuracy);
  EXPECT_EQ(a.loss, b.loss);
  EXPECT_EQ(a.macro_f1, b.macro_f1);
  EXPECT_EQ(a.confusion, b.confusion);
  EXPECT_EQ(a.per_class.precision, b.per_class.precision);
  EXPECT_EQ(a.per_class.recall, b.per_class.recall);
  EXPECT_EQ(a.per_class.f1, b.per_class.f1);
  EXPECT_EQ(a.clips.probabilities, b.clips.probabilities);
  EXPECT_EQ(a.clips.label, b.clips.label);
  EXPECT_EQ(a.clips.prediction, b.clips.prediction);
  EXPECT_EQ(a.clips.path, b.clips.path);
  EXPECT_EQ(a.clips.accuracy, b.clips.accuracy);
  EXPECT_EQ(a.clips.macro_f1, b.clips.macro_f1);
}

TEST(RunRecord, ComesBackAsItWasWritten) {
  const TemporaryFolder folder;
  const auto r = example_record();
  write_result(folder / "result.h5", r);
  const auto b = read_result(folder / "result.h5");
  EXPECT_EQ(b.experiment, r.experiment);
  EXPECT_EQ(b.key, r.key);
  EXPECT_EQ(b.seed, r.seed);
  EXPECT_EQ(b.device, r.device);
  EXPECT_EQ(b.version, r.version);
  EXPECT_EQ(b.status, r.status);
  EXPECT_EQ(b.message, r.message);
  EXPECT_EQ(b.best_epoch, r.best_epoch);
  EXPECT_EQ(b.weights_epoch, r.weights_epoch);
  EXPECT_EQ(b.epochs_run, r.epochs_run);
  EXPECT_EQ(b.stopped_early, r.stopped_early);
  EXPECT_EQ(b.parameters, r.parameters);
  EXPECT_EQ(b.trainable_parameters, r.trainable_parameters);
  EXPECT_EQ(b.train_seconds, r.train_seconds);
  EXPECT_EQ(b.predict_seconds, r.predict_seconds);
  EXPECT_EQ(b.synthetic, r.synthetic);
  EXPECT_EQ(b.config, r.config);
  EXPECT_EQ(b.environment, r.environment);
  EXPECT_EQ(b.label_names, r.label_names);
  EXPECT_EQ(b.feature_mean, r.feature_mean);
  EXPECT_EQ(b.feature_std, r.feature_std);
  EXPECT_EQ(b.history.epoch, r.history.epoch);
  EXPECT_EQ(b.history.loss, r.history.loss);
  EXPECT_EQ(b.history.accuracy, r.history.accuracy);
  EXPECT_EQ(b.history.val_loss, r.history.val_loss);
  EXPECT_EQ(b.history.val_accuracy, r.history.val_accuracy);
  EXPECT_EQ(b.history.learning_rate, r.history.learning_rate);
  EXPECT_EQ(b.history.seconds, r.history.seconds);
  EXPECT_EQ(b.split.train, r.split.train);
  EXPECT_EQ(b.split.validation, r.split.validation);
  EXPECT_EQ(b.split.test, r.split.test);
  EXPECT_EQ(b.split.leaks, r.split.leaks);
  EXPECT_EQ(b.split.clip_share_in_train, r.split.clip_share_in_train);
  EXPECT_TRUE(std::isnan(b.split.artist_share_in_train));
  EXPECT_EQ(b.split.notes, r.split.notes);
  ASSERT_TRUE(b.validation && b.test);
  expect_same(*b.validation, *r.validation);
  expect_same(*b.test, *r.test);
  ASSERT_EQ(b.bad_files.size(), 1u);
  EXPECT_EQ(b.bad_files[0].path, r.bad_files[0].path);
  EXPECT_EQ(b.bad_files[0].reason, r.bad_files[0].reason);
}

TEST(RunRecord, EvaluationFollowsFromTheProbabilities) {
  const auto e = *example_record().test;
  EXPECT_EQ(e.prediction, (std::vector<std::int32_t>{2, 1, 0, 1}));
  EXPECT_EQ(e.accuracy, 0.75);
  EXPECT_NEAR(e.loss, -(std::log(0.7) + std::log(0.6) + std::log(0.1) + std::log(0.8)) / 4, 1e-7);
  EXPECT_EQ(e.confusion, (std::vector<std::int32_t>{0, 0, 0, 0, 2, 0, 1, 0, 1}));
  EXPECT_NEAR(e.macro_f1, (1 + 2.0 / 3) / 2, 1e-12);
  // Clips in the order of the data set: 1, 2, 3.
  EXPECT_EQ(e.clips.path, (std::vector<std::string>{"jazz/b.wav", "rock/c.wav", "jazz/ü.wav"}));
  EXPECT_EQ(e.clip, (std::vector<std::int32_t>{1, 2, 1, 0}));
  EXPECT_EQ(e.clips.label, (std::vector<std::int32_t>{1, 2, 1}));
  EXPECT_FLOAT_EQ(e.clips.probabilities[5], 0.4f);
  EXPECT_EQ(e.clips.prediction, (std::vector<std::int32_t>{1, 2, 1}));
  EXPECT_EQ(e.clips.accuracy, 1);
  EXPECT_NEAR(e.clips.macro_f1, 1, 1e-12);  // no clip of the first class
}

TEST(RunRecord, EvaluationRefusesWhatDoesNotFit) {
  const std::vector<std::int32_t> one{0};
  EXPECT_THROW(evaluate({}, {}, {}, {}, {}), std::invalid_argument);
  EXPECT_THROW(evaluate(std::vector<float>{1, 0}, one, std::vector<std::int32_t>{5}, one, {"a"}),
               std::invalid_argument);
}

TEST(RunRecord, TheLayoutIsTheOneThatIsPromised) {
  const TemporaryFolder folder;
  write_result(folder / "result.h5", example_record());
  const auto file = H5File::open(folder / "result.h5");
  EXPECT_EQ(file.text_attribute("/", "schema"), "timbre-run");
  EXPECT_EQ(file.int_attribute("/", "schema_version"), 1);
  for (const auto* name : {"experiment", "seed", "device", "version", "status", "best_epoch", "epochs_run",
                           "parameters", "train_seconds", "predict_seconds", "synthetic"})
    EXPECT_TRUE(file.has_attribute("/", name)) << name;
  for (const auto* name : {"leaks", "clip_share_in_train", "artist_share_in_train"})
    EXPECT_TRUE(file.has_attribute("/split", name)) << name;
  for (const auto* name :
       {"/config", "/label_names", "/test/clips/path", "/bad_files/path", "/bad_files/reason"})
    EXPECT_EQ(file.type_name(name), "string") << name;
  for (const auto* name : {"/features/mean", "/features/std", "/validation/probabilities",
                           "/test/probabilities", "/test/clips/probabilities"})
    EXPECT_EQ(file.type_name(name), "float32") << name;
  for (const auto* name :
       {"/history/epoch", "/split/train", "/split/validation", "/split/test", "/test/label",
        "/test/prediction", "/test/clip", "/test/segment", "/test/clips/label", "/test/clips/prediction",
        "/test/confusion", "/validation/label"})
    EXPECT_EQ(file.type_name(name), "int32") << name;
  for (const auto* name : {"/history/loss", "/history/accuracy", "/history/val_loss", "/history/val_accuracy",
                           "/history/learning_rate", "/history/seconds", "/test/per_class/precision",
                           "/test/per_class/recall", "/test/per_class/f1"})
    EXPECT_EQ(file.type_name(name), "float64") << name;
  for (const auto* group : {"/validation", "/test"})
    for (const auto* name : {"accuracy", "loss", "macro_f1"}) EXPECT_TRUE(file.has_attribute(group, name));
  EXPECT_TRUE(file.has_attribute("/test/clips", "accuracy"));
  EXPECT_EQ(file.shape("/test/confusion"), (Shape{3, 3}));
  EXPECT_EQ(file.text_attribute("/environment", "cpu"), "A CPU");
}

TEST(RunRecord, TheSameRecordGivesTheSameBytes) {
  const TemporaryFolder folder;
  write_result(folder / "a.h5", example_record());
  write_result(folder / "b.h5", example_record());
  EXPECT_EQ(bytes_of(folder / "a.h5"), bytes_of(folder / "b.h5"));
}

TEST(RunRecord, AnUnfinishedRunHasNoTest) {
  const TemporaryFolder folder;
  RunRecord r;
  r.experiment = "mlp", r.status = "diverged", r.message = "the loss became NaN in epoch 1";
  r.label_names = {"a", "b"};
  write_result(folder / "result.h5", r);
  const auto b = read_result(folder / "result.h5");
  EXPECT_EQ(b.status, "diverged");
  EXPECT_EQ(b.message, r.message);
  EXPECT_FALSE(b.validation || b.test);
  EXPECT_TRUE(b.feature_mean.empty());
  EXPECT_EQ(b.version, library_version());
}

TEST(RunRecord, ForeignAndNewerFilesAreRefusedInOneLine) {
  const TemporaryFolder folder;
  const auto foreign = folder / "foreign.h5", newer = folder / "newer.h5", text = folder / "text.h5";
  {
    auto file = H5File::create(foreign);
    file.attribute("/", "schema", "something else");
    file.close();
  }
  {
    auto file = H5File::create(newer);
    file.attribute("/", "schema", "timbre-run");
    file.attribute("/", "schema_version", std::int64_t{2});
    file.close();
  }
  std::ofstream(text) << "hello";
  const auto message = [](const auto& path) { return message_of<RequestError>([&] { read_result(path); }); };
  EXPECT_EQ(message(foreign), foreign.string() + ": is an HDF5 file, but not the result of a run");
  EXPECT_EQ(message(newer),
            newer.string() + ": has schema_version 2; this program reads up to 1: use a newer one");
  EXPECT_EQ(message(text), text.string() + ": is not an HDF5 file");
  EXPECT_EQ(message(folder / "none.h5"), (folder / "none.h5").string() + ": no such file");
}

TEST(RunRecord, InconsistentFilesAreNamedNotTrusted) {
  const TemporaryFolder folder;
  const auto check = [&](const std::string& expected, auto change) {
    auto r = example_record();
    change(r);
    write_result(folder / "result.h5", r);
    const auto message = message_of<Error>([&] { read_result(folder / "result.h5"); });
    EXPECT_NE(message.find("is damaged: " + expected), std::string::npos) << message;
  };
  check("/history/loss", [](RunRecord& r) { r.history.loss.pop_back(); });
  check("/test/prediction", [](RunRecord& r) { r.test->prediction[0] = 3; });
  check("/test/clip", [](RunRecord& r) { r.test->clip[0] = 3; });
  check("/validation/label", [](RunRecord& r) { r.validation->label[0] = -1; });
  check("/validation/clips/path", [](RunRecord& r) { r.validation->clips.path.pop_back(); });
  check("/validation/clips/label", [](RunRecord& r) { r.label_names.resize(1); });
  check("/features/std", [](RunRecord& r) { r.feature_std.pop_back(); });
}

TEST(Environment, NamesWhatNumbersGoThrough) {
  const auto environment = describe_environment(2);
  EXPECT_EQ(environment, describe_environment(2));
  std::string names;
  for (const auto& [name, text] : environment) {
    names += name + " ";
    EXPECT_FALSE(text.empty()) << name;
  }
  EXPECT_EQ(names, "cpu instruction_set cores threads system compiler build fftw libsndfile soxr hdf5 ");
}

}  // namespace
}  // namespace timbre::results
