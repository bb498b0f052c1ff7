// Models as Keras itself saved them (golden/keras_models.py): taken with the numbers that Keras computes, or refused by name.
#include <gtest/gtest.h>

#include <sstream>

#include "run/imported.hpp"
#include "run/trained.hpp"
#include "support.hpp"

namespace timbre::exchange {
namespace {

using namespace test;
namespace fs = std::filesystem;

const std::string folder = TIMBRE_TEST_DATA "/keras_models/";

/// inputs() of the script.
std::vector<float> inputs() {
  std::vector<float> x;
  for (int n = 0; n < 2; ++n)
    for (int t = 0; t < 22; ++t)
      for (int f = 0; f < 13; ++f) x.push_back(float((7 * n + 3 * t + 5 * f) % 11 - 5) / 4);
  return x;
}

class TakenModels : public testing::TestWithParam<const char*> {};

TEST_P(TakenModels, ComputeWhatKerasComputes) {
  const TemporaryFolder temporary;
  std::istringstream expected(bytes_of(folder + GetParam() + ".txt"));
  std::vector<float> want;
  for (float v; expected >> v;) want.push_back(v);
  ASSERT_EQ(want.size(), 6u);
  for (const auto* extension : {".h5", ".keras"}) {
    const auto imported = run::import_keras(folder + GetParam() + extension, {});
    results::write_result(temporary / "result.h5", imported.record);
    const auto trained = run::load_trained(temporary / "result.h5");
    auto x = inputs();
    if (!trained.standardisation.mean.empty()) data::standardise_frames(trained.standardisation, x);
    ThreadPool pool(1);
    const auto weights = trained.weights();
    std::vector<float> got(6);
    nn::make_cpu_network({&trained.model, weights}, pool)->predict(x.data(), 2, got.data());
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-5) << extension << " " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, TakenModels,
                         testing::Values("mlp_3", "lstm_3", "cnn_3", "functional_3", "reshaped_3", "mlp_2",
                                         "lstm_2", "cnn_2", "functional_2", "reshaped_2"),
                         [](const auto& info) { return std::string(info.param); });

struct Refused {
  const char *file, *message;
};
void PrintTo(const Refused& r, std::ostream* out) { *out << r.file; }

class RefusedModels : public testing::TestWithParam<Refused> {};

// Layers that came later than these files.
TEST(LaterLayers, AreTaken) {
  for (const char* file : {"gru_3.keras", "gru_2.h5", "average_3.keras", "average_2.h5"})
    EXPECT_EQ(message_of<Error>([&] { run::import_keras(folder + file, {}); }), "no error") << file;
}

TEST_P(RefusedModels, AreNamedByTheirPlace) {
  const auto message = message_of<Error>([] { run::import_keras(folder + GetParam().file, {}); });
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Of, RefusedModels,
    testing::Values(
        Refused{"nested_3.keras", "(Sequential): is a model within the model"},
        Refused{"nested_2.h5", "(Sequential): is a model within the model"},
        Refused{"bidirectional_3.keras",
                "(Bidirectional): holds a layer of its own; layers within layers are not read"},
        Refused{"bidirectional_2.h5",
                "(Bidirectional): holds a layer of its own; layers within layers are not read"},
        Refused{"hard_sigmoid_3.keras", "(LSTM): recurrent_activation is \"hard_sigmoid\""},
        Refused{"hard_sigmoid_2.h5", "(LSTM): recurrent_activation is \"hard_sigmoid\""},
        Refused{"branching_2.h5",
                "'both' (Concatenate): takes flatten_4, ears, and not the layer before it alone"},
        Refused{"huge_2.h5", "dense_2/kernel:0: is damaged: it claims to be larger than the file"},
        Refused{"huge_3.keras", "/layers/dense/vars/0: is damaged: it claims to be larger than the file"}),
    [](const auto& info) {
      std::string name = info.param.file;
      std::replace(name.begin(), name.end(), '.', '_');
      return name;
    });

}  // namespace
}  // namespace timbre::exchange
