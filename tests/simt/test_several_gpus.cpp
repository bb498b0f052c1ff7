// Two GPUs on the stand-in, the second with half the memory: what belongs to one is never used on the other, both give the
// same bytes, and a step needs no more memory than was said before it was made.
#include <thread>

#include "cuda/support/blas.hpp"
#include "cuda/training/memory_needed.hpp"
#include "features/engine.hpp"
#include "simt/stand_in_training.hpp"

namespace timbre::training {
namespace {

class TwoGpus : public StandInTraining {
 protected:
  void SetUp() override {
    StandInTraining::SetUp();
    simt::device().count = 2;
  }
};

std::vector<float> trained_on(const std::string& device, const std::string& network, int steps = 3) {
  ConformanceSetup setup(case_of(network));
  auto step = setup.step(device);
  train_steps(*step, steps);
  step->evaluate(all_rows(23));
  return step->export_weights();
}

TEST_P(TwoGpus, GiveTheSameBytesInTurnAndSideBySide) {
  for (const auto* network : {"mlp", "cnn", "lstm"}) {
    const auto alone = trained_on("cuda", network);
    EXPECT_EQ(trained_on("cuda:1", network), alone) << network;
    // One thread serves both, a step here and a step there.
    ConformanceSetup setup(case_of(network));
    auto first = setup.step("cuda:0"), second = setup.step("cuda:1");
    for (int s = 0; s < 3; ++s) train_steps(*first, 1, s), train_steps(*second, 1, s);
    EXPECT_EQ(first->evaluate(all_rows(23)).probabilities, second->evaluate(all_rows(23)).probabilities);
    EXPECT_EQ(first->export_weights(), second->export_weights());
    second->import_state(first->export_state());
    first.reset(), second.reset();
    // A thread for each, twice.
    std::vector<std::vector<float>> weights(4);
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < weights.size(); ++i)
        threads.emplace_back([&, i] { weights[i] = trained_on(i % 2 == 0 ? "cuda:0" : "cuda:1", network); });
    }
    for (const auto& w : weights) EXPECT_EQ(w, alone) << network;
  }
}

TEST_P(TwoGpus, ComputeFeaturesAndPredictionsOfTheirOwn) {
  features::FeatureOptions options;
  std::vector<float> sound(2 * 3000);
  for (std::size_t i = 0; i < sound.size(); ++i) sound[i] = float(i % 97) / 97.0F - 0.5F;
  std::vector<std::vector<float>> out;
  const auto first = features::open_features("cuda:0", options, 3000);
  const auto second = features::open_features("cuda:1", options, 3000);
  for (const auto& make : {first, second, first}) {
    const auto engine = make();
    engine->compute(sound.data(), 2, out.emplace_back(std::size_t(2 * engine->shape().size())).data());
  }
  EXPECT_EQ(out[0], out[1]);
  EXPECT_EQ(out[0], out[2]);

  ConformanceSetup setup(case_of("mlp"));
  const auto weights = setup.step("cuda")->export_weights();
  ThreadPool pool(1);
  const nn::NetworkOptions wanted{.model = &setup.model, .weights = weights, .rows_at_once = 4};
  const auto here = nn::make_network("cuda:0", wanted, pool),
             there = nn::make_network("cuda:1", wanted, pool);
  const std::vector<float> x(std::size_t(3 * setup.model.input().size()), 0.25F);
  std::vector<float> a(std::size_t(3 * setup.model.classes())), b(a.size());
  here->predict(x.data(), 3, a.data()), there->predict(x.data(), 3, b.data());
  EXPECT_EQ(a, b);
}

TEST_P(TwoGpus, AreKnownByTheirNumbers) {
  const auto& backend = *device::BackendRegistry::instance().find("cuda");
  EXPECT_EQ(backend.count(), 2);
  EXPECT_EQ(backend.why_not(1), "");
  EXPECT_EQ(backend.why_not(2), "there are 2 NVIDIA GPUs, cuda:0 to cuda:1");
  EXPECT_EQ(backend.free_memory(0), std::int64_t{1} << 30);
  EXPECT_EQ(backend.free_memory(1), std::int64_t{1} << 29);
  simt::device().count = 1;
  EXPECT_EQ(backend.why_not(1), "there is one NVIDIA GPU, cuda:0");
}

TEST_P(TwoGpus, TheSmallOneIsFullWhileTheOtherHasRoom) {
  simt::device().second_free_bytes = 4 << 10;
  ConformanceSetup setup(case_of("mlp"));
  EXPECT_NO_THROW(setup.step("cuda:0"));
  EXPECT_THROW(setup.step("cuda:1"), Error);
}

TEST_P(TwoGpus, AStepNeedsNoMoreMemoryThanWasSaid) {
  struct Case {
    std::string model;
    Shape input;
  };
  const std::vector<Case> cases{
      {"[flatten, dense: {units: 512, activation: relu}, dense: {units: classes, activation: softmax}]",
       {130, 13}},
      {"[conv2d: {filters: 32, kernel_size: 3, activation: relu}, max_pooling2d: {pool_size: 3, strides: 2, "
       "padding: "
       "same}, batch_normalization, conv2d: {filters: 32, kernel_size: 2, activation: relu}, flatten, dense: "
       "{units: "
       "classes, activation: softmax}]",
       {30, 13}},
      {"[lstm: {units: 128, return_sequences: true}, dropout: 0.2, lstm: {units: 64}, dense: {units: "
       "classes, "
       "activation: softmax}]",
       {20, 13}},
      {"[bidirectional: {layer: {gru: {units: 40, return_sequences: true}}}, gru: {units: 130}, dense: "
       "{units: "
       "classes, activation: softmax}]",
       {20, 13}},
      {"[gru: {units: 64}, dense: {units: classes, activation: softmax}]", {40, 13}},
      {"[lstm: {units: 20}, dense: {units: classes, activation: softmax}]", {40, 100}},
      {"[bidirectional: {layer: {gru: {units: 30}}, merge_mode: sum}, dense: {units: classes, activation: "
       "softmax}]",
       {40, 7}}};
  const Environment rows("TIMBRE_CUDA_EVALUATION_ROWS", "16");
  for (const auto* way : {"own", "cudnn"})
    for (const auto& [text, input] : cases) {
      const LstmBy lstm(way);
      const GruBy gru(way);
      const ConvolutionBy convolution(way);
      ConformanceSetup setup({"memory", text, input, "adam"}, 40);
      simt::device().largest_bytes = 0;
      const StepOptions options{&setup.model, setup.loss.get(), setup.optimizer.get(), 8, 5};
      auto step = make_step("cuda", options, setup.pool);
      step->bind(setup.data, setup.labels.data());
      step->train(all_rows(8));
      step->evaluate(all_rows(16));
      // (Without cuBLAS's work space, whose size is known.)
      const auto said = cuda::own_memory_needed(options, setup.data.rows()) - cuda::Blas::work_bytes;
      const auto taken = simt::device().largest_bytes - cuda::Blas::work_bytes;
      EXPECT_LE(taken, said) << way << ": " << text;
      EXPECT_GE(4 * taken, said) << way << ": " << text << ": far too careful";
      std::printf("%s: %.1f of %.1f MB\n", text.substr(1, text.find(':') - 1).c_str(), double(taken) / 1e6,
                  double(said) / 1e6);
    }
}

INSTANTIATE_TEST_SUITE_P(Streams, TwoGpus, testing::Bool(),
                         [](const auto& info) { return info.param ? "workAtOnce" : "workAsLateAsAllowed"; });

}  // namespace
}  // namespace timbre::training
