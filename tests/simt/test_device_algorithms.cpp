// Which algorithms the CUDA back end takes on the stand-in device, and what it says of them: LSTMs, convolutions and dropout
// by cuDNN and by own kernels, cuDNN's refusals, its random numbers in states, its handles beside another run's capture.
#include <cstdlib>

#include "core/error.hpp"
#include "nn/network.hpp"
#include "stand_in_training.hpp"

namespace timbre::training {
namespace {

TEST_P(StandInTraining, TrainsAsTheCpuWithTheOwnLstm) {
  const LstmBy way("own");
  expect_the_cpus_training("cuda");
  expect_every_layer_agrees("cuda");
  expect_the_same_bytes_side_by_side("cuda");
}

TEST_P(StandInTraining, TrainsAsTheCpuWithTheOwnGru) {
  const GruBy way("own");
  for (const char* name :
       {"gru", "gru backwards over sequences", "bidirectional gru", "masked gru and bidirectional"})
    expect_every_layer_agrees("cuda", name);
}

TEST_P(StandInTraining, TheGrusAlgorithmIsChosenAndSaid) {
  ConformanceSetup small(case_of("gru")), both(case_of("bidirectional gru")),
      large({"large gru", "[gru: {units: 130}, dense: {units: classes, activation: softmax}]", {4, 3}});
  const auto notes = [](ConformanceSetup& s) { return s.step("cuda")->notes(); };
  EXPECT_EQ(notes(small), (std::vector<std::string>{
                              "gru (layer 0, 6 units): cuDNN's persistent algorithm for small states",
                              "gru (layer 1, 5 units): cuDNN's persistent algorithm for small states"}));
  EXPECT_EQ(notes(both).at(0), "gru (layer 0, 4 units): cuDNN's persistent algorithm for small states");
  EXPECT_EQ(notes(large).at(0),
            "gru (layer 0, 130 units): cuDNN's standard algorithm (persistent: for 128 units at most)");
  ConformanceSetup lengthy(
      {"long", "[gru: {units: 1}, dense: {units: classes, activation: softmax}]", {65536, 1}}, 4);
  EXPECT_EQ(
      notes(lengthy).at(0),
      "gru (layer 0, 1 units): own kernels (gru (layer 0, 1 units): cuDNN takes 65535 time steps at most)");
  {
    const GruBy cudnn("cudnn");
    EXPECT_THROW(notes(lengthy), Error);
  }
  const GruBy way("own");
  EXPECT_EQ(notes(small).at(1), "gru (layer 1, 5 units): own kernels");
}

TEST_P(StandInTraining, TheLstmsAlgorithmIsChosenAndSaid) {
  ConformanceSetup setup(case_of("lstm")), large(case_of("large lstm"));
  const auto state_with = [&](cudnnStatus_t at_once, cudnnStatus_t in_backward, const std::string& note) {
    simt::dnn().persistent = at_once, simt::dnn().persistent_backward = in_backward;
    const auto step = setup.step("cuda");
    EXPECT_EQ(step->notes().at(0), note);
    train_steps(*step, 3);
    return step->export_state().arena;
  };
  const std::string standard = "lstm (layer 0, 5 units): cuDNN's standard algorithm (persistent: ";
  const auto persistent =
      state_with(CUDNN_STATUS_SUCCESS, CUDNN_STATUS_SUCCESS,
                 "lstm (layer 0, 5 units): cuDNN's persistent algorithm for small states");
  EXPECT_EQ(state_with(CUDNN_STATUS_NOT_SUPPORTED, CUDNN_STATUS_SUCCESS,
                       standard + "cudnnSetRNNDescriptor_v8: CUDNN_STATUS_NOT_SUPPORTED)"),
            persistent);
  EXPECT_EQ(state_with(CUDNN_STATUS_SUCCESS, CUDNN_STATUS_NOT_SUPPORTED,
                       standard + "cudnnRNNBackwardData_v8: CUDNN_STATUS_NOT_SUPPORTED)"),
            persistent);
  simt::dnn() = {};
  simt::dnn().persistent_packed = CUDNN_STATUS_NOT_SUPPORTED;
  EXPECT_EQ(
      state_with(CUDNN_STATUS_SUCCESS, CUDNN_STATUS_SUCCESS,
                 "lstm (layer 0, 5 units): cuDNN's persistent algorithm for small states, padded (packed: "
                 "cudnnSetRNNDescriptor_v8: CUDNN_STATUS_NOT_SUPPORTED)"),
      persistent);
  EXPECT_EQ(large.step("cuda")->notes().at(0),
            "lstm (layer 0, 130 units): cuDNN's standard algorithm (persistent: for 128 units at most)");
}

TEST_P(StandInTraining, MoreStepsThanCudnnTakesAreRefusedInWords) {
  ConformanceSetup setup(
      {"long", "[lstm: {units: 1}, dense: {units: classes, activation: softmax}]", {65536, 1}}, 4);
  try {
    setup.step("cuda");
    ADD_FAILURE() << "taken";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "lstm (layer 0, 1 units): cuDNN takes 65535 time steps at most");
  }
}

TEST_P(StandInTraining, TheOwnLstmIsTakenWhereItIsAskedForAndCan) {
  ConformanceSetup setup(case_of("lstm")), large(case_of("large lstm"));
  const auto note = [](ConformanceSetup& s) { return s.step("cuda")->notes().at(0); };
  {
    const LstmBy way("own");
    EXPECT_EQ(note(setup), "lstm (layer 0, 5 units): own kernel, weights on the chip");
    EXPECT_EQ(
        note(large),
        "lstm (layer 0, 130 units): cuDNN's standard algorithm (persistent: for 128 units at most); the own "
        "kernel: for 128 units at most");
  }
  for (const char* cudnn : {"auto", "cudnn", ""}) {
    const LstmBy way(cudnn);
    EXPECT_EQ(note(setup), "lstm (layer 0, 5 units): cuDNN's persistent algorithm for small states");
  }
  const LstmBy way("mine");
  try {
    setup.step("cuda");
    ADD_FAILURE() << "taken";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "TIMBRE_LSTM: 'mine' is no way to compute an LSTM; known: auto, cudnn, own");
  }
}

TEST_P(StandInTraining, TwoRowsABlockOfTheOwnLstmAgreeWithTheCpu) {
  const LstmBy way("own");
  const Environment two("TIMBRE_LSTM_SINGLE_ROWS", "0");
  expect_every_layer_agrees("cuda", "lstm of 128 units");
}

TEST_P(StandInTraining, DropoutOfCudnnDrawsNewMasksInEveryStep) {
  const DropoutBy way("cudnn");
  expect_new_masks_in_every_step("cuda");
  ConformanceSetup setup(case_of("mlp"));
  EXPECT_EQ(setup.step("cuda")->notes().at(0), "dropout (layer 2): cuDNN's masks");
}

TEST_P(StandInTraining, TrainsAsTheCpuWithDropoutOfCudnnWhereNothingIsDropped) {
  const DropoutBy way("cudnn");
  for (const char* model :
       {"[flatten, dropout: 0, dense: {units: classes, activation: softmax}]",
        "[lstm: {units: 5, return_sequences: true, go_backwards: true}, dropout: 0, lstm: {units: 5, "
        "use_bias: false}, dense: {units: classes, activation: softmax}]",
        "[lstm: {units: 4, return_sequences: true}, dropout: 0, lstm: {units: 4, return_sequences: true}, "
        "dropout: 0, lstm: {units: 4, return_sequences: true}, flatten, dense: {units: classes, activation: "
        "softmax}]"}) {
    SCOPED_TRACE(model);
    ConformanceSetup setup({"nothing dropped", model, {4, 3}});
    const auto cpu = setup.step("cpu"), other = setup.step("cuda");
    for (auto* s : {cpu.get(), other.get()}) train_steps(*s, 5);
    expect_same_state(setup.model, other->export_state(), cpu->export_state(), 1e-4);
    const auto rows = all_rows(23);
    EXPECT_LE(difference(other->evaluate(rows).probabilities, cpu->evaluate(rows).probabilities), 1e-4);
    EXPECT_TRUE(other->export_state().generators.empty());
  }
}

constexpr auto joined_lstms =
    "[lstm: {units: 5, return_sequences: true}, dropout: 0.4, lstm: {units: 5}, dropout: 0.2, dense: {units: "
    "classes, activation: softmax}]";

TEST_P(StandInTraining, LstmsWithDropoutBetweenThemAreOneRnnOfCudnns) {
  const auto first_note = [](const std::string& model) {
    ConformanceSetup setup({"joined", model, {4, 3}});
    return setup.step("cuda")->notes().at(0);
  };
  EXPECT_EQ(first_note(joined_lstms),
            "lstm (layer 0, 5 units): cuDNN's persistent algorithm for small states");
  const DropoutBy dropout("cudnn");
  EXPECT_EQ(
      first_note(joined_lstms),
      "lstm (layer 0, 5 units) and 1 above it, dropout 0.4: cuDNN's persistent algorithm for small states");
  const std::string apart = "lstm (layer 0, 5 units): cuDNN's persistent algorithm for small states",
                    end = ", dense: {units: classes, activation: softmax}]";
  EXPECT_EQ(first_note("[lstm: {units: 5, return_sequences: true}, dropout: 0.4, lstm: {units: 4}" + end),
            apart);
  EXPECT_EQ(first_note("[lstm: {units: 5, return_sequences: true}, lstm: {units: 5}" + end), apart);
  EXPECT_EQ(
      first_note(
          "[lstm: {units: 5, return_sequences: true}, dropout: 0.4, lstm: {units: 5, go_backwards: true}" +
          end),
      apart);
  const LstmBy own("own");
  EXPECT_EQ(first_note(joined_lstms), "lstm (layer 0, 5 units): own kernel, weights on the chip");
}

/// The gradients of a step whose masks are known, since the generators' states go back, are the loss's slopes.
TEST_P(StandInTraining, GradientsThroughCudnnsDropoutAreTheSlopesOfTheLoss) {
  const DropoutBy dropout("cudnn");
  ConformanceSetup setup({"joined", joined_lstms, {4, 3}});
  const auto step = setup.step("cuda");
  step->set_learning_rate(0);
  train_steps(*step, 2);
  const auto start = step->export_state();
  ASSERT_EQ(start.generators.size(), 2u);
  const auto rows = all_rows(8);
  const auto loss_with = [&](std::size_t weight, float change) {
    auto state = start;
    state.arena[weight] += change, state.metrics = {};
    step->import_state(state);
    step->train(rows);
    return step->metrics(true).loss();
  };
  loss_with(0, 0);
  const auto gradients = step->trace(8).gradients;
  const double largest =
      std::abs(*std::ranges::max_element(gradients, {}, [](float g) { return std::abs(g); }));
  std::size_t slopes = 0;
  for (std::size_t i = 0; i < gradients.size(); i += 7, ++slopes) {
    constexpr float h = 0.02f;
    EXPECT_NEAR((loss_with(i, h) - loss_with(i, -h)) / (2 * double(h)), gradients[i], 0.01 * largest) << i;
  }
  EXPECT_GT(slopes, 40u);
}

TEST_P(StandInTraining, GeneratorsOfCudnnGoOnFromAState) {
  ConformanceSetup setup({"joined", joined_lstms, {4, 3}});
  const auto cpu = setup.step("cpu"), own = setup.step("cuda");
  const DropoutBy dropout("cudnn");
  const auto first = setup.step("cuda"), second = setup.step("cuda");
  train_steps(*first, 4);
  auto state = first->export_state();
  EXPECT_EQ(state.generator_kind, "cuDNN's dropout on SIMT host");
  train_steps(*first, 4, 4);
  second->import_state(state);
  train_steps(*second, 4, 4);
  EXPECT_EQ(second->export_state().arena, first->export_state().arena);
  EXPECT_EQ(second->export_state().generators, first->export_state().generators);
  EXPECT_NE(second->export_state().generators, state.generators);
  const auto refusal = [&](TrainingStep& step) {
    try {
      step.import_state(state);
    } catch (const RequestError& e) {
      return std::string(e.what());
    }
    return std::string("taken");
  };
  const std::string refused =
      "the state holds the random numbers of cuDNN's dropout on SIMT host, which do not go on here";
  EXPECT_EQ(refusal(*cpu), refused + "; go on there, or begin anew with --restart");
  EXPECT_EQ(refusal(*own), refused + "; go on there, or begin anew with --restart");
  state.generators.pop_back();
  EXPECT_EQ(refusal(*second),
            refused + " (cuDNN's dropout on SIMT host); go on there, or begin anew with --restart");
  state.generators.clear();  // a CPU's state: the generators stay as they are
  EXPECT_EQ(refusal(*second), "taken");
}

TEST_P(StandInTraining, HandlesThatAreMadeAndEndedDoNotBreakAnothersCapture) {
  ConformanceSetup setup(case_of("cnn"));
  const auto step = setup.step("cuda");
  train_steps(*step, 1);
  std::thread other;
  simt::device().while_capturing = [&] {
    other = std::thread([] {
      ConformanceSetup beside(case_of("lstm"));
      beside.step("cuda");  // makes handles of cuBLAS and cuDNN, and ends them
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // as much as it can do meanwhile
  };
  train_steps(*step, 1, 1);
  ASSERT_TRUE(other.joinable()) << "nothing was captured";
  other.join();
  EXPECT_EQ(simt::device().broken_captures, 0);
  EXPECT_EQ(simt::device().graph_launches, 1);
}

TEST_P(StandInTraining, ACaptureThatIsBrokenIsTriedAgain) {
  ConformanceSetup setup(case_of("mlp"));
  const auto whole = state_after_training(setup, "cuda").arena;
  const auto broken = [&](int times) {
    const auto step = setup.step("cuda");
    for (int s = 0; s < 9; ++s) {
      if (s >= 1 && s <= times) simt::device().while_capturing = [] { simt::synchronise_device(); };
      train_steps(*step, 1, s);
    }
    EXPECT_EQ(step->export_state().arena, whole);
    return step->notes();
  };
  const auto twice = broken(2);
  ASSERT_EQ(twice.size(), 3u);
  EXPECT_TRUE(twice[0].starts_with("the training step is not captured yet: CUDA: ")) << twice[0];
  EXPECT_TRUE(twice[2].starts_with("the training step is one graph of ")) << twice[2];
  const auto always = broken(3);
  ASSERT_EQ(always.size(), 3u);
  EXPECT_TRUE(always[2].starts_with("the training step runs without a graph: CUDA: ")) << always[2];
}

TEST_P(StandInTraining, ANetworkWithoutLayersOfCudnnMakesNoHandle) {
  ConformanceSetup setup(case_of("mlp"));
  state_after_training(setup, "cuda");
  EXPECT_EQ(simt::dnn().handles, 0);
  ConformanceSetup lstm(case_of("lstm"));
  state_after_training(lstm, "cuda");
  EXPECT_EQ(simt::dnn().handles, 1);
}

TEST_P(StandInTraining, CublasIsToldToGiveCudnnsRnnsTheSameBytes) {
  EXPECT_STREQ(std::getenv("CUBLAS_WORKSPACE_CONFIG"), ":4096:2");
}

TEST_P(StandInTraining, TheConvolutionsAlgorithmsAreChosenAndSaid) {
  ConformanceSetup setup(case_of("cnn"));
  struct Trained {
    std::vector<std::string> notes;
    std::vector<float> arena;
  };
  const auto trained = [&] {
    const auto step = setup.step("cuda");
    Trained t{step->notes(), {}};
    train_steps(*step, 3);
    t.arena = step->export_state().arena;
    return t;
  };
  const auto usual = trained();
  EXPECT_EQ(usual.notes, (std::vector<std::string>{
                             "conv2d (layer 0, 4 filters): cuDNN, algorithms forward 1, dW 1",
                             "conv2d (layer 3, 3 filters): cuDNN, algorithms forward 1, dx 1, dW 1"}));
  {
    const ConvolutionBy own("own");
    EXPECT_TRUE(trained().notes.empty());
  }
  simt::dnn().convolution_1 = CUDNN_STATUS_NOT_SUPPORTED;
  const auto other = trained();
  EXPECT_EQ(other.notes.at(0), "conv2d (layer 0, 4 filters): cuDNN, algorithms forward 0, dW 1");
  EXPECT_EQ(other.arena, usual.arena);  // of the stand-in
  simt::dnn().convolution_1 = CUDNN_STATUS_SUCCESS;
  simt::dnn().input_gradient = CUDNN_STATUS_NOT_SUPPORTED;  // at once, and only the second layer asks for it
  const auto mixed = trained();
  EXPECT_EQ(mixed.notes.at(0), usual.notes.at(0));
  EXPECT_EQ(mixed.notes.at(1),
            "conv2d (layer 3, 3 filters): by columns and cuBLAS (cuDNN: dx 1: CUDNN_STATUS_NOT_SUPPORTED)");
  EXPECT_LE(difference(mixed.arena, usual.arena), 1e-4);
  simt::dnn().input_gradient = CUDNN_STATUS_SUCCESS;
  simt::dnn().kernel_gradient = CUDNN_STATUS_EXECUTION_FAILED;  // in the trial
  EXPECT_EQ(
      trained().notes.at(0),
      "conv2d (layer 0, 4 filters): by columns and cuBLAS (cuDNN: dW 1: CUDNN_STATUS_EXECUTION_FAILED)");
}

TEST_P(StandInTraining, ANetworkForPredictionPlansNoGradients) {
  ConformanceSetup setup(case_of("cnn"));
  const auto weights = setup.step("cpu")->export_weights();
  const auto network =
      nn::make_network("cuda", {.model = &setup.model, .weights = weights, .rows_at_once = 4}, setup.pool);
  EXPECT_EQ(network->notes(),
            (std::vector<std::string>{"conv2d (layer 0, 4 filters): cuDNN, algorithms forward 1",
                                      "conv2d (layer 3, 3 filters): cuDNN, algorithms forward 1"}));
}

}  // namespace
}  // namespace timbre::training
