// What every device's training step must be, as functions of the device's name: the CPU's numbers for every
// registered layer, optimizer and loss, with partial batches, dropout and penalties; and a state that goes
// from one device to the other and on. Tests call them for each device that is there.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "device/environment.hpp"
#include "nn/network.hpp"
#include "training/device_check.hpp"
#include "training/hashed.hpp"
#include "training/step.hpp"

namespace timbre::training {

struct ConformanceCase {
  std::string name, model;
  Shape input;
  std::string optimizer = "sgd: {learning_rate: 0.05}", loss = "cross_entropy";
  nn::Regularisation regularisation{};
  StepOptions options{};  // what else the step does: weights of classes, augmentation, clipping, averages
  bool further = false;   // its kernels have no reference of their own
  std::vector<std::string> freeze{};
};

inline std::vector<ConformanceCase> conformance_cases() {
  const Shape vectors{4, 3}, pictures{9, 7};
  const std::string mlp =
      "[flatten, dense: {units: 7, activation: relu}, dropout: 0.3, dense: {units: classes, activation: "
      "softmax}]";
  std::vector<ConformanceCase> cases{
      {"mlp", mlp, vectors},
      {"mlp with penalties", mlp, vectors, "sgd", "cross_entropy", {0.01, 0.02, {}}},
      {"dense over time",
       "[dense: {units: 5, activation: tanh, use_bias: false, kernel_regulariser: {l1: 0.01, l2: 0}}, "
       "flatten, dense: {units: classes}, activation: softmax]",
       vectors},
      {"cnn",
       "[conv2d: {filters: 4, kernel_size: 3, padding: same, activation: relu}, max_pooling2d: {pool_size: "
       "3, strides: 2, padding: same}, batch_normalization, conv2d: {filters: 3, kernel_size: [2, 3], "
       "strides: [2, 1], activation: tanh, "
       "use_bias: false}, batch_normalization: {scale: false, momentum: 0.8}, flatten, dropout: 0.2, dense: "
       "{units: classes, "
       "activation: softmax}]",
       pictures, "sgd: {learning_rate: 0.02}"},
      {"pooling without padding",
       "[conv2d: {filters: 3, kernel_size: [4, 2], padding: same, activation: elu}, max_pooling2d: "
       "{pool_size: [3, 2], strides: [2, 3]}, batch_normalization: {center: false}, flatten, dense: {units: "
       "classes, activation: softmax}]",
       pictures, "sgd: {learning_rate: 0.02}"},
      // 'same' pads the height by 0 and 1, the width not at all, and no window reaches the last column.
      {"uneven padding",
       "[conv2d: {filters: 3, kernel_size: [2, 1], strides: [1, 2], padding: same, activation: relu}, "
       "conv2d: "
       "{filters: 2, kernel_size: [2, 1], strides: [1, 3], padding: same}, flatten, dense: {units: classes, "
       "activation: softmax}]",
       Shape{9, 8}, "sgd: {learning_rate: 0.02}"},
      {"lstm",
       "[lstm: {units: 5, return_sequences: true}, dropout: 0.2, lstm: {units: 4, go_backwards: true, "
       "use_bias: false}, dense: {units: classes, activation: softmax}]",
       vectors, "adam"},
      {"lstm backwards over sequences",
       "[lstm: {units: 3, return_sequences: true, go_backwards: true, recurrent_regulariser: {l1: 0, l2: "
       "0.1}}, flatten, dense: {units: classes, activation: softmax}]",
       vectors},
      {"large lstm", "[lstm: {units: 130}, dense: {units: classes, activation: softmax}]", {2, 3}},
      // As large as the own kernels take, and as configs/lstm.yaml has it.
      {"lstm of 128 units",
       "[lstm: {units: 128, return_sequences: true}, dropout: 0.2, lstm: {units: 128}, dense: {units: "
       "classes, activation: softmax}]",
       {4, 13}},
      {"label smoothing", mlp, vectors, "sgd", "cross_entropy: {label_smoothing: 0.2}"}};
  const auto earlier = cases.size();
  for (const char* loss :
       {"focal_cross_entropy", "focal_cross_entropy: {gamma: 0.5, alpha: 1, label_smoothing: 0.1}"})
    cases.push_back({loss, mlp, vectors, "sgd", loss});
  const std::vector<float> weights{0.5f, 2, 1, 0};
  const SpecAugmentOptions stripes{2, 4, 1, 3};
  const auto with = [&](const std::string& name, StepOptions options,
                        const std::string& optimizer = "sgd: {learning_rate: 0.05, momentum: 0.9}",
                        const std::string& loss = "cross_entropy") {
    cases.push_back({name, mlp, Shape{9, 7}, optimizer, loss, {0.001, 0.01, {}}, std::move(options)});
  };
  with("class weights", {.class_weights = weights});
  with("spec augment", {.spec_augment = stripes});
  with("mixup", {.mixup = MixupOptions{0.4}});
  with("mixup with class weights and stripes",
       {.class_weights = weights, .spec_augment = stripes, .mixup = MixupOptions{2}}, "sgd",
       "cross_entropy: {label_smoothing: 0.2}");
  with("mixup and focal loss", {.mixup = MixupOptions{1}}, "sgd", "focal_cross_entropy");
  with("gradient norm", {.clipping = GradientClippingOptions{}});
  with("clipped values", {.clipping = GradientClippingOptions{.value = 0.02}});
  with("clipped norms", {.clipping = GradientClippingOptions{.norm = 0.1}}, "adam: {epsilon: 1e-3}");
  with("clipped global norm", {.clipping = GradientClippingOptions{.global_norm = 0.2}});
  with("average", {.average = MovingAverageOptions{0.8, {}}});
  with("overwriting average", {.average = MovingAverageOptions{0.8, 2}}, "adam: {epsilon: 1e-3}");
  for (const auto& frozen : std::vector<std::vector<std::string>>{
           {"conv2d"}, {"batch_normalization", "dense"}, {"conv2d_1", "batch_normalization"}})
    cases.push_back({"frozen " + frozen.back(),
                     "[conv2d: {filters: 3, kernel_size: 2}, batch_normalization, conv2d: {filters: 2, "
                     "kernel_size: 2}, flatten, dense: {units: 6, activation: tanh}, dense: {units: classes, "
                     "activation: softmax}]",
                     Shape{6, 5},
                     "sgd: {learning_rate: 0.05}",
                     "cross_entropy",
                     {0.001, 0.01, {}},
                     {},
                     true,
                     frozen});
  cases.push_back(
      {"frozen lstm",
       "[lstm: {units: 5, return_sequences: true}, dropout: 0.2, lstm: 4, dense: {units: classes, "
       "activation: softmax}]",
       vectors,
       "adam",
       "cross_entropy",
       {},
       {},
       true,
       {"lstm_1"}});
  with("all at once", {.class_weights = weights,
                       .spec_augment = stripes,
                       .mixup = MixupOptions{0.4},
                       .clipping = GradientClippingOptions{.global_norm = 0.2},
                       .average = MovingAverageOptions{0.9, {}}});
  // Further layers, odd sizes, every option that changes the work.
  const Shape frames{9, 5};
  const auto ending = [](const std::string& layers) {
    return "[" + layers + ", flatten, dense: {units: classes, activation: softmax}]";
  };
  for (const auto& [name, layers] : std::vector<std::pair<std::string, std::string>>{
           {"gru",
            "gru: {units: 6, return_sequences: true}, gru: {units: 5, go_backwards: true, use_bias: false}"},
           {"gru backwards over sequences", "gru: {units: 4, return_sequences: true, go_backwards: true}"},
           {"bidirectional lstm", "bidirectional: {layer: {lstm: {units: 4, return_sequences: true}}}"},
           {"bidirectional gru",
            "bidirectional: {layer: {gru: {units: 4, return_sequences: true}}, merge_mode: mul}, "
            "bidirectional: {layer: {gru: 3}, merge_mode: ave}"},
           {"bidirectional sum",
            "bidirectional: {layer: {lstm: {units: 4, use_bias: false}}, merge_mode: sum}"},
           {"conv1d",
            "conv1d: {filters: 6, kernel_size: 3, activation: relu}, max_pooling1d, conv1d: {filters: 3, "
            "kernel_size: 2, strides: 2, padding: same}"},
           {"average pooling",
            "conv2d: {filters: 3, kernel_size: 2, activation: selu}, average_pooling2d: {pool_size: [3, "
            "2], strides: 2, padding: same}"},
           {"average pooling of sequences",
            "dense: 4, average_pooling1d: {pool_size: 4, strides: 3, padding: same}"},
           {"global average 1d", "dense: {units: 4, activation: leaky_relu}, global_average_pooling1d"},
           {"global max 1d", "dense: 4, global_max_pooling1d"},
           {"global average 2d", "conv2d: {filters: 4, kernel_size: 2}, global_average_pooling2d"},
           {"global max 2d", "conv2d: {filters: 4, kernel_size: 2}, global_max_pooling2d"},
           {"layer normalisation",
            "layer_normalization, dense: 4, layer_normalization: {center: false, epsilon: 0.1}, "
            "layer_normalization: {scale: false}, layer_normalization: {scale: false, center: false}"},
           {"spatial dropout",
            "dense: 4, spatial_dropout1d: 0.4, conv2d: {filters: 3, kernel_size: 2}, spatial_dropout2d: 0.3"},
           {"random crop", "random_crop: 7, dense: 4, random_crop: {frames: 5}, dense: 3"},
           {"gaussian noise", "dense: 4, gaussian_noise: 0.3"},
           {"permute and reshape", "dense: 4, permute: [2, 1], reshape: {target_shape: [-1, 6]}, dense: 3"},
           {"silu and gelu", "dense: 4, activation: silu, dense: 5, activation: gelu"},
           {"blocks of pictures",
            "conv2d: {filters: 4, kernel_size: 3, padding: same}, residual: {layers: [conv2d: {filters: 4, "
            "kernel_size: 3, padding: same, use_bias: false}, batch_normalization, activation: relu]}, "
            "residual: {layers: [conv2d: {filters: 5, kernel_size: 3, strides: 2, padding: same}, dropout: "
            "0.2]}"},
           {"blocks of sequences",
            "lstm: {units: 4, return_sequences: true}, residual: {layers: [dropout: 0.2, lstm: {units: 4, "
            "return_sequences: true}], activation: linear}, residual: {layers: [conv1d: {filters: 3, "
            "kernel_size: 3, strides: 2, padding: same}], activation: tanh}"},
           {"masked lstm",
            "masking: {mask_value: 0.25}, dense: {units: 4, activation: tanh}, lstm: {units: 5, "
            "return_sequences: true}, dropout: 0.2, "
            "layer_normalization, lstm: {units: 4, go_backwards: true}"},
           {"masked gru and bidirectional",
            "masking: 0.25, gru: {units: 4, return_sequences: true, go_backwards: true}, bidirectional: "
            "{layer: "
            "{lstm: {units: 3, return_sequences: true}}, merge_mode: mul}, residual: {layers: [gru: {units: "
            "3, "
            "return_sequences: true}], activation: linear}, bidirectional: {layer: {gru: 3}}"},
           {"masked mean", "masking: 0.25, dense: 3, global_average_pooling1d"},
           // Flatten gives its input's memory on, in both branches.
           {"blocks of vectors",
            "dense: 4, residual: {layers: [flatten, dense: 6], shortcut: [flatten, dense: 5, activation: "
            "relu, "
            "dense: 6]}, residual: {layers: [dense: 6, dropout: 0.3]}"}})
    cases.push_back({name, ending(layers), frames, "sgd: {learning_rate: 0.02}"});
  for (auto i = earlier; i < cases.size(); ++i) cases[i].further = true;
  for (const char* a : {"relu", "sigmoid", "tanh", "elu", "linear", "softmax", "leaky_relu", "selu"})
    cases.push_back({std::string("activation ") + a,
                     std::string("[flatten, dense: {units: 6, activation: ") + a + "}, activation: " + a +
                         ", dense: {units: classes, activation: softmax}]",
                     vectors});
  for (const char* o :
       {"sgd: {momentum: 0.9}", "sgd: {momentum: 0.9, nesterov: true}", "rmsprop: {epsilon: 1e-3}",
        "rmsprop: {momentum: 0.5, epsilon: 1e-3}", "adam: {epsilon: 1e-3}",
        "adamw: {epsilon: 1e-3, weight_decay: 0.5, exclude: [bias]}"})
    cases.push_back({o, mlp, vectors, o, "cross_entropy", {0.001, 0.01, {}}});
  // A new one is tried by being registered, with nothing said of it.
  for (const auto& o : OptimizerRegistry::instance().names())
    cases.push_back({o + " as it comes", mlp, vectors, o});
  return cases;
}

/// A configuration, ready to make steps of.
struct ConformanceSetup {
  explicit ConformanceSetup(const ConformanceCase& c, std::int64_t rows = 23)
      : node(config::parse_text(c.model, "test.yaml", ".")),
        model(nn::Model::parse(config::Reader(node, "model"), c.input, 4, c.regularisation)),
        optimizer(OptimizerChoice::from(config::parse_text(c.optimizer, "test.yaml", "."))),
        loss(LossChoice::from(config::parse_text(c.loss, "test.yaml", "."))),
        options(c.options),
        x(test::hashed_values(std::size_t(rows * c.input.size()), 1, 2)),
        data(x.data(), rows, c.input.size()) {
    model.freeze(c.freeze);
    if (c.name.starts_with("masked"))  // steps at the beginning, inside and at the end; whole rows
      for (std::int64_t step = 0; step < rows * c.input[0]; ++step)
        if (step % 7 < 2 || step / c.input[0] % 5 == 3)
          std::fill_n(x.begin() + step * c.input[1], c.input[1], 0.25f);
    for (std::int64_t r = 0; r < rows; ++r) labels.push_back(std::int32_t(r * 7 % 4));
  }
  std::unique_ptr<TrainingStep> step(const std::string& device, std::uint64_t seed = 5,
                                     std::int64_t batch = 8) {
    options.model = &model, options.loss = loss.get(), options.optimizer = optimizer.get();
    options.batch_size = batch, options.seed = seed;
    auto s = make_step(device, options, pool);
    s->bind(data, labels.data());
    return s;
  }
  config::Node node;
  nn::Model model;
  OptimizerChoice optimizer;
  LossChoice loss;
  StepOptions options;
  std::vector<float> x;
  data::MemoryRows data;
  std::vector<std::int32_t> labels;
  ThreadPool pool{1};
};

/// `count` steps on changing rows: whole batches of eight, and one of three after every two.
inline void train_steps(TrainingStep& step, int count, int first = 0) {
  for (int s = first; s < first + count; ++s) {
    const auto batch = [](int k) {
      std::vector<std::int32_t> rows;
      for (int i = 0; i < (k % 3 == 2 ? 3 : 8); ++i) rows.push_back((k * 8 + i * 5) % 23);
      return rows;
    };
    step.prefetch(batch(s + 1));
    step.train(batch(s));
  }
}

inline std::vector<std::int32_t> all_rows(std::int32_t count) {
  std::vector<std::int32_t> rows;
  for (std::int32_t r = 0; r < count; ++r) rows.push_back(r * 3 % count);
  return rows;
}

/// Largest |a - b| over the largest |b|; infinite where a is not finite.
inline double difference(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return INFINITY;
  double worst = 0, magnitude = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(double(a[i]) - b[i]);
    worst = std::isfinite(d) ? std::max(worst, d) : INFINITY;
    magnitude = std::max(magnitude, double(std::abs(b[i])));
  }
  return worst == 0 ? 0 : worst / magnitude;
}

/// Names the parameter that differs most.
inline void expect_same_state(const nn::Model& model, const StepState& a, const StepState& b,
                              double tolerance) {
  EXPECT_EQ(a.step, b.step);
  EXPECT_EQ(a.metrics.correct, b.metrics.correct);
  EXPECT_EQ(a.metrics.rows, b.metrics.rows);
  EXPECT_EQ(a.metrics.bad_step, b.metrics.bad_step);
  EXPECT_NEAR(a.metrics.loss_sum, b.metrics.loss_sum, tolerance * std::abs(b.metrics.loss_sum));
  EXPECT_NEAR(a.metrics.gradient_norm_sum, b.metrics.gradient_norm_sum,
              tolerance * b.metrics.gradient_norm_sum);
  ASSERT_EQ(a.arena.size(), b.arena.size());
  ASSERT_EQ(a.average.size(), b.average.size());
  ASSERT_EQ(a.slots.size(), b.slots.size());
  for (const auto& parameter : model.parameters()) {
    const auto at = std::size_t(parameter.offset), size = std::size_t(parameter.spec.shape.size());
    const auto part = [&](const std::vector<float>& v) { return std::span(v).subspan(at, size); };
    SCOPED_TRACE("layer " + std::to_string(parameter.layer) + ", " + parameter.spec.name);
    EXPECT_LE(difference(part(a.arena), part(b.arena)), tolerance);
    if (parameter.spec.trainable && !a.average.empty()) {
      EXPECT_LE(difference(part(a.average), part(b.average)), tolerance);
    }
    for (std::size_t k = 0; parameter.spec.trainable && k < a.slots.size(); ++k)
      EXPECT_LE(difference(part(a.slots[k]), part(b.slots[k])), 10 * tolerance);
  }
}

/// The same weights after some steps, the same metrics and scores; then the state changes devices, and both
/// go on.
inline void expect_the_cpus_training(const std::string& device, double tolerance = 1e-4) {
  for (const auto& c : conformance_cases()) {
    SCOPED_TRACE(c.name + ": " + c.model);
    ConformanceSetup setup(c);
    const auto cpu = setup.step("cpu"), other = setup.step(device);
    expect_same_state(setup.model, other->export_state(), cpu->export_state(), 0);
    for (auto* s : {cpu.get(), other.get()}) train_steps(*s, 5);
    EXPECT_NEAR(other->penalty(), cpu->penalty(), tolerance * cpu->penalty());
    const auto rows = all_rows(23);
    const auto a = other->evaluate(rows), b = cpu->evaluate(rows);
    EXPECT_LE(difference(a.probabilities, b.probabilities), tolerance);
    EXPECT_NEAR(a.loss, b.loss, tolerance * b.loss);
    EXPECT_EQ(a.correct, b.correct);
    const auto of_cpu = cpu->export_state(), of_other = other->export_state();
    expect_same_state(setup.model, of_other, of_cpu, tolerance);
    cpu->import_state(of_other), other->import_state(of_cpu);
    for (auto* s : {cpu.get(), other.get()}) s->set_learning_rate(0.003), train_steps(*s, 2, 5);
    expect_same_state(setup.model, other->export_state(), cpu->export_state(), 2 * tolerance);
    const auto m = other->metrics(true), n = other->metrics(true);
    EXPECT_GT(m.rows, 0);
    EXPECT_EQ(n.rows, 0);
  }
}

/// A network of the same weights gives the probabilities of the step's evaluation, to the last bit, however many rows it
/// takes at once; and again after other rows.
inline void expect_a_network_predicts_as_the_step(const std::string& device) {
  for (const auto& c : conformance_cases()) {
    SCOPED_TRACE(c.name + ": " + c.model);
    ConformanceSetup setup(c);
    const auto step = setup.step(device);
    train_steps(*step, 3);
    std::vector<std::int32_t> rows(23);
    std::iota(rows.begin(), rows.end(), 0);
    const auto expected = step->evaluate(rows).probabilities;
    const auto weights = step->export_weights();
    for (const std::int64_t at_once : {1, 8, 64}) {
      const auto network = nn::make_network(
          device, {.model = &setup.model, .weights = weights, .rows_at_once = at_once}, setup.pool);
      std::vector<float> some(4 * 2), all(expected.size());
      network->predict(setup.x.data() + 5 * c.input.size(), 2, some.data());
      network->predict(setup.x.data(), 23, all.data());
      EXPECT_EQ(all, expected) << at_once << " rows at once";
      EXPECT_EQ(some, std::vector<float>(expected.begin() + 5 * 4, expected.begin() + 7 * 4));
    }
  }
}

/// Layer by layer, step by step: outputs, gradients and updated parameters.
inline void expect_every_layer_agrees(const std::string& device, const std::string& only = "") {
  const std::vector<std::vector<std::int32_t>> batches{
      {0, 1, 2, 3, 4, 5, 6, 7}, {20, 3, 11}, {8, 9, 10, 11, 12, 13, 14, 15}, {22}};
  for (const auto& c : conformance_cases()) {
    if (!only.empty() && c.name != only) continue;
    ConformanceSetup setup(c);
    const auto report = check_devices(setup.model, *setup.step("cpu"), *setup.step(device), batches);
    EXPECT_FALSE(report.first) << c.name << "\n" << describe(report);
    std::size_t lines = 0;  // an output and an update per layer, a gradient per parameter
    for (const auto& s : setup.model.parameters()) lines += s.spec.trainable;
    for (const auto& l : setup.model.layers()) lines += l.parameters.empty() ? 1 : 2;
    EXPECT_EQ(report.lines.size(), lines);
  }
}

/// Where the loss is no number, the step says which was the first.
inline void expect_a_bad_step_is_told(const std::string& device) {
  ConformanceSetup setup(conformance_cases()[0]);
  const auto step = setup.step(device);
  train_steps(*step, 2);
  auto state = step->export_state();
  state.arena[0] = NAN;
  step->import_state(state);
  train_steps(*step, 2, 2);
  EXPECT_EQ(step->metrics(false).bad_step == 0 || step->metrics(false).bad_step == 3, true);
  EXPECT_EQ(step->metrics(true).bad_step, 3);
}

/// Weights and slots after nine steps, and what was noted.
inline StepState state_after_training(ConformanceSetup& setup, const std::string& device,
                                      std::uint64_t seed = 5, std::vector<std::string>* notes = nullptr) {
  const auto step = setup.step(device, seed);
  train_steps(*step, 9);
  if (notes) *notes = step->notes();
  return step->export_state();
}

/// The same bytes from a second run, and from one whose steps are not replayed as a graph.
inline void expect_replays_equal_eager_steps(const std::string& device) {
  for (const auto& c : conformance_cases()) {
    SCOPED_TRACE(c.name + ": " + c.model);
    ConformanceSetup setup(c);
    std::vector<std::string> notes;
    const auto replayed = state_after_training(setup, device, 5, &notes),
               again = state_after_training(setup, device);
    if (device != "cpu") {
      EXPECT_TRUE(std::ranges::any_of(notes, [](const std::string& note) {
        return note.starts_with("the training step is one graph of ");
      })) << "nothing was replayed";
    }
    const device::Environment off("TIMBRE_CUDA_GRAPHS", "off");
    const auto eager = state_after_training(setup, device);
    for (const auto* other : {&again, &eager}) {
      EXPECT_EQ(replayed.arena, other->arena);
      EXPECT_EQ(replayed.slots, other->slots);
      EXPECT_EQ(replayed.average, other->average);
      EXPECT_EQ(replayed.metrics.loss_sum, other->metrics.loss_sum);
    }
  }
}

/// Runs on threads of their own give the bytes that each gives alone.
inline void expect_the_same_bytes_side_by_side(const std::string& device) {
  const std::vector<std::string> names{"mlp", "cnn", "lstm", "lstm", "large lstm", "cnn"};
  const auto cases = conformance_cases();
  const auto train = [&](std::size_t i) {
    ConformanceSetup setup(*std::ranges::find(cases, names[i], &ConformanceCase::name));
    return state_after_training(setup, device, i).arena;
  };
  std::vector<std::vector<float>> alone, together(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) alone.push_back(train(i));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < names.size(); ++i) threads.emplace_back([&, i] { together[i] = train(i); });
  for (auto& t : threads) t.join();
  EXPECT_EQ(together, alone);
}

/// Steps on the same rows, which change no weights, drop other values each time.
inline void expect_new_masks_in_every_step(const std::string& device) {
  ConformanceSetup setup(
      {"dropout", "[flatten, dropout: 0.5, dense: {units: classes, activation: softmax}]", {6, 5}});
  const auto step = setup.step(device);
  step->set_learning_rate(0);
  std::set<std::vector<bool>> masks;
  for (int s = 0; s < 6; ++s) {
    step->train(all_rows(8));
    const auto t = step->trace(8);
    std::vector<bool> kept;
    for (std::size_t i = 0; i < t.outputs[1].size(); ++i) {
      kept.push_back(t.outputs[1][i] != 0);
      EXPECT_EQ(t.outputs[1][i], kept.back() ? 2 * t.outputs[0][i] : 0);
    }
    const auto count = std::ranges::count(kept, true);  // of 240
    EXPECT_TRUE(count > 80 && count < 160) << count;
    masks.insert(kept);
  }
  EXPECT_EQ(masks.size(), 6u);
}

/// Every layer, optimizer and loss that is registered stands in a case.
inline void expect_every_part_is_covered() {
  std::set<std::string, std::less<>> layers, optimizers, losses;
  for (const auto& c : conformance_cases()) {
    ConformanceSetup setup(c);
    for (const auto& e : setup.model.layers()) layers.emplace(e.layer->type());
    optimizers.insert(setup.optimizer->dump().entries.at(0).first);
    losses.insert(setup.loss->dump().entries.at(0).first);
  }
  const auto names = [](const auto& set) { return std::vector<std::string>(set.begin(), set.end()); };
  EXPECT_EQ(names(layers), nn::LayerRegistry::instance().names());
  EXPECT_EQ(names(optimizers), OptimizerRegistry::instance().names());
  EXPECT_EQ(names(losses), LossRegistry::instance().names());
}

}  // namespace timbre::training
