// Which way to compute something the environment asks for.
#include <gtest/gtest.h>

#include <stdexcept>

#include "core/error.hpp"
#include "device/algorithms.hpp"
#include "device/environment.hpp"

namespace timbre::device {
namespace {

constexpr auto as_usual =
    "TIMBRE_LSTM=cudnn TIMBRE_GRU=cudnn TIMBRE_CONV=cudnn TIMBRE_DROPOUT=own TIMBRE_CUDA_EVALUATION_ROWS=128 "
    "TIMBRE_CUDA_WINDOW_FLOATS=33554432 TIMBRE_LSTM_SINGLE_ROWS=128";

TEST(Algorithms, AreTheUsualOnesWhereNothingIsSet) {
  EXPECT_EQ(describe(algorithm_settings(), true), as_usual);
  EXPECT_EQ(describe(algorithm_settings(), false), "");
  const Environment automatic("TIMBRE_LSTM", "auto"), empty("TIMBRE_CONV", ""), same("TIMBRE_DROPOUT", "own");
  EXPECT_EQ(describe(algorithm_settings(), true), as_usual);
  EXPECT_FALSE(asked_for("TIMBRE_LSTM") || asked_for("TIMBRE_CONV"));
  EXPECT_TRUE(asked_for("TIMBRE_DROPOUT"));
}

TEST(Algorithms, AreAsTheEnvironmentSays) {
  const Environment lstm("TIMBRE_LSTM", "own"), dropout("TIMBRE_DROPOUT", "cudnn"),
      rows("TIMBRE_CUDA_EVALUATION_ROWS", "7");
  EXPECT_EQ(algorithm("TIMBRE_LSTM"), "own");
  EXPECT_EQ(algorithm("TIMBRE_DROPOUT"), "cudnn");
  EXPECT_EQ(tuned_number("TIMBRE_CUDA_EVALUATION_ROWS"), 7);
  EXPECT_EQ(describe(algorithm_settings(), false),
            "TIMBRE_LSTM=own TIMBRE_DROPOUT=cudnn TIMBRE_CUDA_EVALUATION_ROWS=7");
  EXPECT_THROW(algorithm("TIMBRE_CUDA_EVALUATION_ROWS"), std::logic_error);
  EXPECT_THROW(tuned_number("TIMBRE_LSTM"), std::logic_error);
}

std::string refusal(const char* variable, const char* value) {
  const Environment set(variable, value);
  try {
    algorithm_settings();
  } catch (const RequestError& e) {
    return e.what();
  }
  return "taken";
}

TEST(Algorithms, AreRefusedByNameWhereNobodyKnowsThem) {
  EXPECT_EQ(refusal("TIMBRE_LSTM", "mine"),
            "TIMBRE_LSTM: 'mine' is no way to compute an LSTM; known: auto, cudnn, own");
  EXPECT_EQ(refusal("TIMBRE_CONV", "fft"),
            "TIMBRE_CONV: 'fft' is no way to compute a convolution; known: auto, cudnn, own");
  EXPECT_EQ(refusal("TIMBRE_DROPOUT", "0.5"),
            "TIMBRE_DROPOUT: '0.5' is no way to compute dropout; known: auto, cudnn, own");
  for (const auto* bad : {"12x", "x", " 1", "-1", "1.5", "99999999999999999999"})
    EXPECT_EQ(refusal("TIMBRE_LSTM_SINGLE_ROWS", bad),
              "TIMBRE_LSTM_SINGLE_ROWS=" + std::string(bad) + ": must be a whole number of at least 0");
  EXPECT_EQ(refusal("TIMBRE_LSTM_SINGLE_ROWS", "0"), "taken");
}

TEST(Algorithms, OfARecordAreAppliedAndNothingElse) {
  const Environment lstm("TIMBRE_LSTM", "own"), conv("TIMBRE_CONV", "own"),
      rows("TIMBRE_CUDA_EVALUATION_ROWS", "");
  apply_algorithm_settings("TIMBRE_CONV=cudnn TIMBRE_CUDA_EVALUATION_ROWS=7");
  EXPECT_EQ(describe(algorithm_settings(), false), "TIMBRE_CUDA_EVALUATION_ROWS=7");
  apply_algorithm_settings(as_usual);
  EXPECT_EQ(describe(algorithm_settings(), true), as_usual);
  apply_algorithm_settings("");
  EXPECT_EQ(describe(algorithm_settings(), true), as_usual);
  EXPECT_THROW(apply_algorithm_settings("TIMBRE_NOVEL=cudnn"), Error);
  EXPECT_THROW(apply_algorithm_settings("PATH=/tmp"), Error);
  EXPECT_THROW(apply_algorithm_settings("TIMBRE_LSTM=novel"), Error);
  apply_algorithm_settings("");
}

}  // namespace
}  // namespace timbre::device
