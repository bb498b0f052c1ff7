#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "hashed.hpp"
#include "training/augmentation.hpp"
#include "training/checkpoint.hpp"
#include "training/trainer.hpp"

namespace timbre::training {
namespace {

// A small problem: 90 rows of 6 numbers, three classes by their sign pattern, noise.
struct Problem {
  std::vector<float> x = test::hashed_values(90 * 6, 3);
  std::vector<std::int32_t> y, train, validation;
  std::unique_ptr<nn::Model> model;
  TrainingOptions options;
  FeatureAugmentationOptions augmentation;
  ThreadPool pool;
  data::MemoryRows rows{x.data(), 90, 6};

  explicit Problem(const std::string& training = "{epochs: 6, batch_size: 8}", int threads = 1,
                   const std::string& layers =
                       "[dense: {units: 16, activation: relu}, dropout: 0.3, dense: {units: classes, "
                       "activation: softmax}]",
                   const Shape& input = {6})
      : pool(threads) {
    for (int i = 0; i < 90; ++i) {
      y.push_back(x[std::size_t(i) * 6] > 0.2f ? 0 : x[std::size_t(i) * 6 + 1] > 0 ? 1 : 2);
      (i < 60 ? train : validation).push_back(i);
    }
    const auto node = config::parse_text(layers, "model", ".");
    model = std::make_unique<nn::Model>(nn::Model::parse(config::Reader(node, "model"), input, 3, {}));
    const auto training_node = config::parse_text(training, "training", ".");
    options = schema(config::of<TrainingOptions>{}).parse(training_node);
  }
  std::unique_ptr<TrainingStep> step() {
    auto s = make_cpu_step({.model = model.get(),
                            .loss = options.loss.get(),
                            .optimizer = options.optimizer.get(),
                            .batch_size = options.batch_size,
                            .seed = 7,
                            .spec_augment = augmentation.spec_augment,
                            .mixup = augmentation.mixup,
                            .clipping = options.gradient_clipping,
                            .average = options.ema},
                           pool);
    s->bind(rows, y.data());
    return s;
  }
};

TEST(Trainer, LearnsAndCountsEpochs) {
  Problem p("{epochs: 60, batch_size: 8, optimizer: {adam: {learning_rate: 0.01}}}");
  const auto step = p.step();
  const auto r = train(*step, p.options, 7, p.train, p.validation, {});
  EXPECT_EQ(r.status, Status::finished);
  EXPECT_EQ(r.epochs_run, 60);
  EXPECT_EQ(r.history.epochs(), 60u);
  EXPECT_EQ(r.weights_epoch, 60);
  EXPECT_LT(r.history.loss.back(), 0.6 * r.history.loss.front());
  EXPECT_GT(r.history.val_accuracy.back(), 0.7);
  EXPECT_EQ(r.best_epoch, std::min_element(r.history.val_loss.begin(), r.history.val_loss.end()) -
                              r.history.val_loss.begin() + 1);
}

TEST(Trainer, SameBytesWithOneTwoAndFourThreads) {
  std::vector<float> first;
  for (const int threads : {1, 2, 4}) {
    Problem p("{epochs: 3, batch_size: 8}", threads);
    const auto step = p.step();
    train(*step, p.options, 7, p.train, p.validation, {});
    const auto arena = step->export_state().arena;
    if (first.empty()) first = arena;
    EXPECT_EQ(arena, first) << threads << " threads";
  }
}

TEST(Trainer, GoesOnFromACheckpointInMidEpochAsIfNeverStopped) {
  const std::string yaml = "{epochs: 6, batch_size: 8, early_stopping: {monitor: val_accuracy, patience: 4}}";
  Problem whole(yaml);
  const auto step = whole.step();
  const auto expected = train(*step, whole.options, 7, whole.train, whole.validation, {});
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("timbre-checkpoint-{}.h5", ::getpid());
  for (const int stop_after : {1, 3, 8, 11, 20}) {
    Problem p(yaml);
    std::atomic<int> signal{0};
    int seen = 0;
    TrainerHooks hooks;
    hooks.on_batch = [&](const Progress&) { signal = ++seen == stop_after ? 15 : signal.load(); };
    hooks.save = [&](const TrainerState& s) { write_checkpoint(path, "key", s); };
    hooks.signal = &signal;
    EXPECT_THROW(train(*p.step(), p.options, 7, p.train, p.validation, hooks), Interrupted);
    const auto state = read_checkpoint(path, "key");
    EXPECT_EQ(state.epoch * 8 + state.batch, stop_after);
    Problem q(yaml);
    const auto again = q.step();
    const auto r = train(*again, q.options, 7, q.train, q.validation, {}, &state);
    EXPECT_EQ(again->export_state().arena, step->export_state().arena) << stop_after;
    EXPECT_EQ(r.history.loss, expected.history.loss);
    EXPECT_EQ(r.history.val_loss, expected.history.val_loss);
    EXPECT_EQ(r.best_epoch, expected.best_epoch);
  }
  EXPECT_THROW(read_checkpoint(path, "another key"), Error);
  std::filesystem::remove(path);
}

// Everything that draws random numbers, or keeps something from step to step.
TEST(Trainer, GoesOnWithTheSameBytesWhateverTheStepKeeps) {
  const auto make = [] {
    auto p = std::make_unique<Problem>(
        "{epochs: 4, batch_size: 8, optimizer: {adam: {learning_rate: 0.01}}, schedule: cosine, "
        "warmup_epochs: "
        "1, gradient_clipping: {global_norm: 0.5}, ema: {momentum: 0.9, overwrite_frequency: 5}, "
        "early_stopping: {monitor: val_macro_f1, patience: 9}}",
        1,
        "[flatten, dense: {units: 16, activation: relu}, dropout: 0.3, dense: {units: classes, activation: "
        "softmax}]",
        Shape{3, 2});
    p->augmentation = {.mixup = MixupOptions{0.4}, .spec_augment = SpecAugmentOptions{1, 2, 1, 1}};
    return p;
  };
  TrainerHooks hooks;
  hooks.validate = [](const std::string& column, const TrainingStep::Scores& scores) {
    EXPECT_EQ(column, "val_macro_f1");
    return double(scores.correct) / 30;
  };
  const auto whole = make();
  const auto step = whole->step();
  const auto expected = train(*step, whole->options, 7, whole->train, whole->validation, hooks);
  EXPECT_EQ(expected.history.val_macro_f1, expected.history.val_accuracy);
  EXPECT_EQ(expected.history.gradient_norm.size(), 4u);
  EXPECT_TRUE(std::ranges::all_of(expected.history.gradient_norm, [](double v) { return v > 0 && v < 100; }));
  const auto path = std::filesystem::temp_directory_path() / fmt::format("timbre-all-kept-{}.h5", ::getpid());
  for (const int stop_after : {3, 8, 13}) {
    const auto p = make();
    std::atomic<int> signal{0};
    int seen = 0;
    auto stopping = hooks;
    stopping.on_batch = [&](const Progress&) { signal = ++seen == stop_after ? 15 : signal.load(); };
    stopping.save = [&](const TrainerState& s) { write_checkpoint(path, "key", s); };
    stopping.signal = &signal;
    EXPECT_THROW(train(*p->step(), p->options, 7, p->train, p->validation, stopping), Interrupted);
    const auto state = read_checkpoint(path, "key");
    const auto q = make();
    const auto again = q->step();
    EXPECT_EQ(misfit(state, *again, 8), "");
    const auto r = train(*again, q->options, 7, q->train, q->validation, hooks, &state);
    EXPECT_EQ(again->export_weights(), step->export_weights()) << stop_after;
    EXPECT_EQ(again->export_state().arena, step->export_state().arena) << stop_after;
    EXPECT_EQ(r.history.loss, expected.history.loss);
    EXPECT_EQ(r.history.val_loss, expected.history.val_loss);
    EXPECT_EQ(r.history.gradient_norm, expected.history.gradient_norm);
    EXPECT_EQ(r.history.val_macro_f1, expected.history.val_macro_f1);
  }
  std::filesystem::remove(path);
}

// What is restored, scored and kept is the average of the best epoch.
TEST(Trainer, TheAverageOfTheBestEpochIsKept) {
  Problem p(
      "{epochs: 200, batch_size: 8, optimizer: {adam: {learning_rate: 0.05}}, ema: {momentum: 0.9}, "
      "early_stopping: {monitor: val_loss, patience: 5}}");
  const auto step = p.step();
  const auto r = train(*step, p.options, 7, p.train, p.validation, {});
  ASSERT_TRUE(r.stopped_early);
  EXPECT_NEAR(step->evaluate(p.validation).loss, r.history.val_loss[std::size_t(r.best_epoch - 1)], 1e-12);
  const auto state = step->export_state();
  const auto kept = step->export_weights();
  ASSERT_EQ(std::ssize(state.average), p.model->trainable_size());
  EXPECT_TRUE(std::equal(state.average.begin(), state.average.end(), kept.begin()));
}

TEST(Trainer, ACheckpointIsReadByAnotherProcess) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("timbre-child-{}.h5", ::getpid());
  Problem p("{epochs: 1, batch_size: 8}");
  write_checkpoint(path, "key", TrainerState{.epoch = 3, .step = p.step()->export_state()});
  const auto faults_of_children = [] {
    rusage used{};
    ::getrusage(RUSAGE_CHILDREN, &used);
    return used.ru_minflt;
  };
  const auto before = faults_of_children();
  EXPECT_EQ(read_checkpoint(path, "key").epoch, 3);
  EXPECT_GT(faults_of_children(), before);
  std::filesystem::remove(path);
}

TEST(Trainer, EarlyStoppingEndsAndRestoresTheBestWeights) {
  Problem p(
      "{epochs: 200, batch_size: 8, optimizer: {adam: {learning_rate: 0.05}}, early_stopping: {monitor: "
      "val_loss, patience: 5}}");
  const auto step = p.step();
  const auto r = train(*step, p.options, 7, p.train, p.validation, {});
  ASSERT_TRUE(r.stopped_early);
  EXPECT_EQ(r.epochs_run, r.best_epoch + 5);
  EXPECT_EQ(r.weights_epoch, r.best_epoch);
  EXPECT_NEAR(step->evaluate(p.validation).loss, r.history.val_loss[std::size_t(r.best_epoch - 1)], 1e-6);
}

TEST(Trainer, ALossThatBecomesInfiniteStopsTheRunAndSaysWhere) {
  Problem p("{epochs: 50, batch_size: 8, optimizer: {sgd: {learning_rate: 1e30}}}");
  const auto step = p.step();
  const auto r = train(*step, p.options, 7, p.train, p.validation, {});
  EXPECT_EQ(r.status, Status::diverged);
  EXPECT_NE(r.message.find("the loss became NaN or infinite in epoch 1, step "), std::string::npos)
      << r.message;
}

TEST(Trainer, PenaltiesCountInTheLossAndNotInTheScores) {
  Problem p("{epochs: 1, batch_size: 8}", 1,
            "[dense: {units: 16, kernel_regulariser: {l1: 0.01, l2: 0.1}}, dense: {units: classes, "
            "activation: softmax}]");
  const auto step = p.step();
  const auto state = step->export_state();
  double expected = 0;
  const auto& parameter = p.model->parameters()[0];
  for (std::int64_t i = 0; i < parameter.spec.shape.size(); ++i) {
    const double w = state.arena[std::size_t(parameter.offset + i)];
    expected += 0.01 * std::abs(w) + 0.1 * w * w;
  }
  EXPECT_NEAR(step->penalty(), expected, 1e-9);
  const double plain = step->evaluate(std::span(p.train).first(8)).loss;
  step->train(std::span(p.train).first(8));
  EXPECT_NEAR(step->metrics(true).loss(), plain + expected, 1e-5);
}

TEST(Trainer, EveryEpochHasItsOwnOrderOfTheSameRows) {
  std::vector<std::int32_t> rows(50);
  std::iota(rows.begin(), rows.end(), 100);
  const auto a = epoch_order(rows, 1, 0, true), b = epoch_order(rows, 1, 1, true),
             c = epoch_order(rows, 2, 0, true);
  EXPECT_NE(a, b);
  EXPECT_NE(a, c);
  EXPECT_EQ(a, epoch_order(rows, 1, 0, true));
  EXPECT_EQ(rows, epoch_order(rows, 1, 0, false));
  auto sorted = a;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, rows);
}

TEST(Loss, SmoothedCrossEntropyHasTheGradientOfItsValue) {
  const auto node = config::parse_text("cross_entropy: {label_smoothing: 0.2}", "loss", ".");
  const auto loss = LossChoice::from(node);
  const auto z = test::hashed_values(2 * 5, 9, 3.0f);
  const std::int32_t labels[] = {1, 4};
  float losses[2], gradient[10], p[10];
  loss->evaluate(z.data(), labels, 2, 5, losses, gradient, p);
  for (int r = 0; r < 2; ++r) {
    double sum = 0, expected = 0, total = 0;
    for (int c = 0; c < 5; ++c) sum += std::exp(double(z[std::size_t(r * 5 + c)]));
    for (int c = 0; c < 5; ++c) {
      const double q = std::exp(double(z[std::size_t(r * 5 + c)])) / sum,
                   t = 0.04 + (c == labels[r] ? 0.8 : 0);
      expected -= t * std::log(q);
      total += p[r * 5 + c];
      EXPECT_NEAR(gradient[r * 5 + c], (q - t) / 2, 1e-6);
      EXPECT_NEAR(p[r * 5 + c], q, 1e-6);
    }
    EXPECT_NEAR(losses[r], expected, 1e-5);
    EXPECT_NEAR(total, 1, 1e-6);
  }
}

}  // namespace
}  // namespace timbre::training
