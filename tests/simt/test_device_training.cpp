// The CUDA back end for training, its host code included, on the stand-in device, whose cuBLAS and cuDNN
// compute in double: the same conformance as on a GPU, in both orders that streams allow; graphs; data that
// stream; steps side by side; and every call failing once.
#include "core/error.hpp"
#include "cuda/layers/cuda_layer.hpp"
#include "cuda/training/cuda_parts.hpp"
#include "nn/network.hpp"
#include "stand_in_training.hpp"

namespace timbre::training {
namespace {

TEST_P(StandInTraining, TrainsAsTheCpu) { expect_the_cpus_training("cuda"); }
TEST_P(StandInTraining, ANetworkPredictsAsTheStep) { expect_a_network_predicts_as_the_step("cuda"); }
TEST_P(StandInTraining, AgreesWithTheCpuInEveryLayer) { expect_every_layer_agrees("cuda"); }
TEST_P(StandInTraining, TellsTheFirstBadStep) { expect_a_bad_step_is_told("cuda"); }

TEST_P(StandInTraining, TrainsAsTheCpuWithConvolutionsByColumns) {
  const ConvolutionBy way("own");
  expect_the_cpus_training("cuda");
  expect_every_layer_agrees("cuda");
  expect_a_network_predicts_as_the_step("cuda");
  EXPECT_EQ(simt::dnn().convolutions, 0);
}

TEST_P(StandInTraining, ConvolvesInPartsWhereTheWindowsAreMany) {
  const ConvolutionBy way("own");
  ConformanceSetup setup(case_of("cnn"));
  const auto whole = state_after_training(setup, "cuda");
  const Environment little("TIMBRE_CUDA_WINDOW_FLOATS", "3000");  // five pictures, then three
  const auto parts = state_after_training(setup, "cuda");
  EXPECT_LE(difference(parts.arena, whole.arena), 1e-5);
  EXPECT_NE(parts.arena, whole.arena) << "the sums over the batch were not in parts";
}

TEST_P(StandInTraining, KnowsEveryRegisteredPart) {
  EXPECT_EQ(cuda::CudaLayers::Registry::instance().names(), nn::LayerRegistry::instance().names());
  EXPECT_EQ(cuda::CudaOptimizers::Registry::instance().names(), OptimizerRegistry::instance().names());
  EXPECT_EQ(cuda::CudaLosses::Registry::instance().names(), LossRegistry::instance().names());
}

TEST_P(StandInTraining, StepsAreReplayedAsOneGraph) {
  ConformanceSetup setup(case_of("cnn"));
  const auto step = setup.step("cuda");
  train_steps(*step, 7);
  EXPECT_EQ(simt::device().graph_launches, 6);  // all but the first
  std::vector<std::int32_t> many;               // three batches of 128
  for (std::int32_t r = 0; r < 300; ++r) many.push_back(r % 23);
  step->evaluate(many);
  EXPECT_EQ(simt::device().graph_launches, 8);
  const auto notes = step->notes();
  ASSERT_EQ(notes.size(), 4u);  // two of convolutions
  for (const auto& [note, what] : {std::pair(notes[2], "the training step is one graph of "),
                                   std::pair(notes[3], "evaluation is one graph of ")}) {
    EXPECT_TRUE(note.starts_with(what) && note.ends_with(" nodes")) << note;
    EXPECT_GT(std::stoi(note.substr(std::string(what).size())), 5) << note;
  }
}

TEST_P(StandInTraining, MetricsUnderWayAreNotWaitedFor) {
  ConformanceSetup setup(case_of("mlp"));
  const auto step = setup.step("cuda");
  std::int64_t before = 0;
  for (int s = 0; s < 4; ++s) {
    train_steps(*step, 1, s);
    const auto rows =
        step->metrics(false).rows;  // what has come back by now, which is never more than what was trained
    EXPECT_GE(rows, before);
    EXPECT_LE(rows, 8 * (s + 1));
    if (!GetParam()) {
      EXPECT_EQ(rows, 0);
    }
    before = rows;
  }
  EXPECT_EQ(step->metrics(true).rows, 8 + 8 + 3 + 8);
  EXPECT_EQ(step->metrics(false).rows, 0);
}

TEST_P(StandInTraining, DataThatDoNotFitStreamWithTheSameResult) {
  ConformanceSetup setup(case_of("mlp"), 2000);
  const auto run = [&](std::size_t room) {
    simt::device().largest_bytes = 0, simt::device().free_bytes = std::size_t{1} << 30;
    auto step = make_step("cuda", {&setup.model, setup.loss.get(), setup.optimizer.get(), 8, 5}, setup.pool);
    if (room) simt::device().free_bytes = std::size_t(simt::device().largest_bytes) + room;
    step->bind(setup.data, setup.labels.data());
    const auto notes = step->notes();
    for (int s = 0; s < 9; ++s) {
      std::vector<std::int32_t> rows, after;
      for (int i = 0; i < 8; ++i)
        rows.push_back((s * 37 + i * 11) % 400), after.push_back(((s + 1) * 37 + i * 11) % 400);
      if (s % 4 != 3) step->prefetch(after);
      step->train(rows);
      if (s == 5) step->evaluate(std::span(rows).first(5));
    }
    EXPECT_EQ(notes.size(), room ? 1u : 0u);
    const auto scores = step->evaluate(all_rows(100));
    return std::pair(step->export_state().arena, scores.probabilities);
  };
  const auto resident = run(0), streamed = run(150 << 10);  // the data are 104 kB
  EXPECT_EQ(resident, streamed);
}

TEST_P(StandInTraining, DataStreamWhereAnotherRunTakesTheirRoom) {
  ConformanceSetup setup(case_of("mlp"), 400);
  const auto train = [&](bool taken) {
    auto step = setup.step("cuda");
    if (taken) {
      step = make_step("cuda", {&setup.model, setup.loss.get(), setup.optimizer.get(), 8, 5}, setup.pool);
      simt::device().calls = 0,
      simt::device().fail_at = 2;  // cudaMalloc, after cudaSetDevice and cudaMemGetInfo
      step->bind(setup.data, setup.labels.data());
      simt::device().fail_at = -1;
      EXPECT_EQ(step->notes().at(0), "the data stream to the GPU, which has no room for them");
    }
    train_steps(*step, 4);
    return step->export_state().arena;
  };
  EXPECT_EQ(train(true), train(false));
}

TEST_P(StandInTraining, NumbersToTurnAreTakenFromTheEnvironment) {
  ConformanceSetup setup(case_of("mlp"));
  const auto launches = [&](const char* rows) {
    const Environment at_once("TIMBRE_CUDA_EVALUATION_ROWS", rows);
    const auto step = setup.step("cuda");
    simt::device().graph_launches = 0;
    step->evaluate(all_rows(23));
    return simt::device().graph_launches;
  };
  EXPECT_EQ(launches("10"), 2);  // three batches, the first of them without a graph
  EXPECT_EQ(launches("3"), 2);   // of eight all the same, the batch's size
  EXPECT_EQ(launches(""), 0);
  for (const char* nonsense : {"-4", "many", "10x", "99999999999999999999"})
    EXPECT_THROW(launches(nonsense), RequestError) << nonsense;
}

TEST_P(StandInTraining, EvaluatesInSmallerBatchesWhereMemoryIsShort) {
  ConformanceSetup setup(case_of("cnn"));
  const auto step = setup.step("cuda");
  train_steps(*step, 2);
  const auto many = step->evaluate(all_rows(23));
  const auto short_step = setup.step("cuda");
  train_steps(*short_step, 2);
  simt::device().free_bytes = 0;
  const auto few = short_step->evaluate(all_rows(23));
  const auto notes = short_step->notes();
  EXPECT_EQ(std::ranges::count_if(notes,
                                  [](const std::string& note) {
                                    return note.starts_with(
                                        "evaluation takes 8 rows at once, not 128: CUDA: cudaMalloc");
                                  }),
            1);
  for (const auto& note : step->notes()) EXPECT_FALSE(note.starts_with("evaluation takes")) << note;
  EXPECT_EQ(few.correct, many.correct);
  EXPECT_LE(difference(few.probabilities, many.probabilities), 1e-6);
}

TEST_P(StandInTraining, TellsOfVariablesThatTakeAwayPrecision) {
  ConformanceSetup setup(case_of("mlp"));
  for (const char* name : {"NVIDIA_TF32_OVERRIDE", "CUBLAS_EMULATE_SINGLE_PRECISION"}) {
    const Environment on(name, "1");
    EXPECT_EQ(setup.step("cuda")->notes(),
              std::vector<std::string>{std::string(name) + "=1 is set: products may not be float32"});
  }
  const Environment off("NVIDIA_TF32_OVERRIDE", "0");
  EXPECT_TRUE(setup.step("cuda")->notes().empty());
}

TEST_P(StandInTraining, CanEndWhileDataAreUnderWay) {
  ConformanceSetup setup(case_of("mlp"), 2000);
  auto step = make_step("cuda", {&setup.model, setup.loss.get(), setup.optimizer.get(), 8, 5}, setup.pool);
  simt::device().free_bytes = std::size_t(simt::device().largest_bytes) + (150 << 10);  // of data of 104 kB
  step->bind(setup.data, setup.labels.data());
  EXPECT_EQ(step->notes().size(), 1u) << "the data do not stream";
  step->prefetch(std::vector<std::int32_t>{5, 6, 7});
  step.reset();  // with a copy on its way
}

TEST_P(StandInTraining, GivesTheSameBytesSideBySide) { expect_the_same_bytes_side_by_side("cuda"); }
TEST_P(StandInTraining, DrawsNewMasksInEveryStep) { expect_new_masks_in_every_step("cuda"); }
TEST_P(StandInTraining, ReplaysEqualEagerSteps) {
  expect_replays_equal_eager_steps("cuda");
  EXPECT_GT(simt::device().graph_launches, 0);
  simt::device().graph_launches = 0;
  const Environment off("TIMBRE_CUDA_GRAPHS", "off");
  ConformanceSetup setup(case_of("mlp"));
  state_after_training(setup, "cuda");
  EXPECT_EQ(simt::device().graph_launches, 0);
}

/// Of a file in configs/, as its user trains it: 13 coefficients, 130 frames, ten genres.
void expect_the_configuration_agrees(const std::string& file) {
  const auto root = config::load_file(std::string(TIMBRE_SOURCE_DIR) + "/configs/" + file);
  const auto& layers = *root.find("model");
  const nn::Model model = nn::Model::parse(config::Reader(layers, "model"), Shape{130, 13}, 10, {});
  const OptimizerChoice optimizer = OptimizerChoice::from(config::parse_text("sgd", "test.yaml", "."));
  const LossChoice loss = LossChoice::from(config::parse_text("cross_entropy", "test.yaml", "."));
  const std::int64_t rows = 20;
  const auto x = test::hashed_values(std::size_t(rows * 130 * 13), 1, 2);
  const data::MemoryRows source(x.data(), rows, 130 * 13);
  std::vector<std::int32_t> labels, all;
  for (std::int32_t r = 0; r < rows; ++r) labels.push_back(r * 7 % 10), all.push_back(r);
  ThreadPool pool{1};
  std::vector<std::unique_ptr<TrainingStep>> steps;
  for (const char* device : {"cpu", "cuda"}) {
    steps.push_back(make_step(device, {&model, loss.get(), optimizer.get(), rows, 5}, pool));
    steps.back()->bind(source, labels.data());
  }
  const auto report = check_devices(model, *steps[0], *steps[1], std::vector{all, all});
  EXPECT_FALSE(report.first) << file << "\n" << describe(report);
}

TEST(StandInProduction, TheNetworksOfTheConfigurationsAgreeWithTheCpu) {
  if (!device::BackendRegistry::instance().find("cuda")) timbre_register_plugin();
  simt::device() = {}, simt::dnn() = {};
  expect_the_configuration_agrees("mlp.yaml");
  for (const char* way : {"own", "cudnn"}) {
    const LstmBy lstm(way);
    const ConvolutionBy convolution(way);
    expect_the_configuration_agrees("cnn.yaml");
    expect_the_configuration_agrees("lstm.yaml");
  }
  EXPECT_GT(simt::dnn().convolutions, 0);
}

/// Lets one call after the other fail, of `least` or more, in a few training steps of a small network. Where a failing call
/// makes another algorithm step in (and a note says so), the numbers are those of another order of sums.
void every_call_fails(const std::string& layers, Shape input, std::int64_t least, bool steps_in = false) {
  const Environment little("TIMBRE_CUDA_EVALUATION_ROWS", "4");
  constexpr std::int64_t batch = 2;
  ConformanceSetup setup(
      {"small", "[" + layers + ", dense: {units: classes, activation: softmax}]", std::move(input)}, 23);
  const auto use = [&] {
    const auto step = setup.step("cuda", 1, batch);
    for (int s = 0; s < 3; ++s) step->train(std::vector<std::int32_t>{1, 3 + s});
    const auto scores = step->evaluate(std::vector<std::int32_t>{0, 5});
    std::pair out(step->export_state().arena, step->notes());
    const auto network = nn::make_network(
        "cuda", {.model = &setup.model, .weights = out.first, .rows_at_once = 2}, setup.pool);
    std::vector<float> probabilities(4 * 7);
    network->predict(setup.x.data(), 7, probabilities.data());
    out.first.insert(out.first.end(), probabilities.begin(), probabilities.end());
    for (auto& note : network->notes()) out.second.push_back(std::move(note));
    return out;
  };
  const auto right = use();
  simt::device().calls = 0;
  use();
  const auto calls = simt::device().calls;
  ASSERT_GT(calls, least);
  for (std::int64_t i = 0; i < calls; ++i) {
    simt::device().calls = 0, simt::device().fail_at = i;
    testing::internal::CaptureStderr();
    bool noticed = false;
    try {
      const auto got = use();
      // What a step survives, it says: a graph that cannot be captured, an algorithm that fails.
      noticed = got.second != right.second;
      if (noticed && steps_in) {
        ASSERT_EQ(got.first.size(), right.first.size());
        for (std::size_t k = 0; k < got.first.size(); ++k)
          ASSERT_NEAR(got.first[k], right.first[k], 1e-4) << i;
      } else {
        EXPECT_EQ(got.first, right.first) << i;
      }
    } catch (const Error& e) {
      noticed = true;
      const std::string text = e.what();
      EXPECT_TRUE(text.starts_with("CUDA: cuda") || text.starts_with("cuBLAS: cublas") ||
                  text.starts_with("cuDNN: ") || text.starts_with("lstm (layer 0") ||
                  text.starts_with("gru (layer 0"))
          << text;
    }
    const auto said = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(noticed || !said.empty()) << "call " << i << " failed unnoticed";
    EXPECT_EQ(simt::device().live, 0) << "after call " << i;
  }
  simt::device().fail_at = -1;
}

TEST_P(StandInTraining, EveryCallThatFailsIsNamedAndLeavesNothingBehind) {
  every_call_fails("lstm: {units: 2}", {2, 2}, 150);
}
// 100 units: more shared memory than a block gets without a call.
TEST_P(StandInTraining, EveryCallOfTheOwnLstmThatFailsIsNamedAndLeavesNothingBehind) {
  const LstmBy way("own");
  every_call_fails("lstm: {units: 100}", {2, 2}, 100);
}
TEST_P(StandInTraining, EveryCallOfTheGruThatFailsIsNamedAndLeavesNothingBehind) {
  every_call_fails("gru: {units: 2}", {2, 2}, 150, true);
}
TEST_P(StandInTraining, EveryCallOfTheOwnGruThatFailsIsNamedAndLeavesNothingBehind) {
  const GruBy way("own");
  every_call_fails("gru: {units: 2}", {2, 2}, 60);
}
TEST_P(StandInTraining, EveryCallOfCudnnsDropoutThatFailsIsNamedAndLeavesNothingBehind) {
  const DropoutBy way("cudnn");
  every_call_fails("lstm: {units: 2, return_sequences: true}, dropout: 0.5, lstm: {units: 2}, dropout: 0.5",
                   {2, 2}, 150);
}
constexpr auto small_convolutions =
    "conv2d: {filters: 2, kernel_size: 2, padding: same}, conv2d: {filters: 2, kernel_size: 2}, flatten";
TEST_P(StandInTraining, EveryCallOfCudnnsConvolutionThatFailsIsNamedAndLeavesNothingBehind) {
  every_call_fails(small_convolutions, {3, 3}, 150, true);
}
TEST_P(StandInTraining, EveryCallOfConvolutionByColumnsThatFailsIsNamedAndLeavesNothingBehind) {
  const ConvolutionBy way("own");
  every_call_fails(small_convolutions, {3, 3}, 100);
}

INSTANTIATE_TEST_SUITE_P(Streams, StandInTraining, testing::Bool(),
                         [](const auto& info) { return info.param ? "AtOnce" : "AsLateAsAllowed"; });

}  // namespace
}  // namespace timbre::training
