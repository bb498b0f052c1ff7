// Which of several ways back ends take to compute something, as environment variables say it. What is chosen changes the
// last bits of a result, and dropout's masks altogether, so it is part of a run's key and record.
//
//   TIMBRE_LSTM      auto | cudnn | own    an LSTM: cuDNN's RNN, or the own kernel where it can   (cuda/layers/lstm.cu)
//   TIMBRE_GRU       auto | cudnn | own    a GRU: cuDNN's RNN, or own kernels                     (cuda/layers/gru.cu)
//   TIMBRE_CONV      auto | cudnn | own    a convolution: cuDNN's, or columns and cuBLAS          (cuda/layers/conv2d.cu)
//   TIMBRE_DROPOUT   auto | own | cudnn    masks of the CPU's, or of cuDNN's generator            (cuda/layers/dropout.cu)
//
// and numbers that somebody who measures on a GPU may want to turn without building again:
//
//   TIMBRE_CUDA_EVALUATION_ROWS   rows that an evaluation takes at once, at least       (cuda/training/cuda_step.cpp)
//   TIMBRE_CUDA_WINDOW_FLOATS     floats of the window matrix, at most                  (cuda/layers/conv2d_columns.cu)
//   TIMBRE_LSTM_SINGLE_ROWS       batches up to this size have a row a block            (cuda/layers/lstm_on_chip.cu)
//
// The CPU has one way for each, and reads none of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace timbre::device {

/// The variable's value, auto resolved: "cudnn" or "own". Throws RequestError where it says something else, and
/// std::logic_error for a variable that is no choice.
std::string_view algorithm(std::string_view variable);

/// Whether a choice names its way, and does not leave it to auto.
bool asked_for(std::string_view variable);

/// The variable's value, or its default. Throws RequestError where it is no whole number of at least 0, and
/// std::logic_error for a variable that is no number.
std::int64_t tuned_number(std::string_view variable);

struct AlgorithmSetting {
  std::string variable, value;
  bool usual;  // what it is where no variable is set
};
/// All of them, resolved, in the order above. Throws RequestError as the functions above do.
std::vector<AlgorithmSetting> algorithm_settings();

/// "TIMBRE_LSTM=own TIMBRE_CONV=cudnn": those that are not as usual, or all.
std::string describe(const std::vector<AlgorithmSetting>& settings, bool all);

/// Sets the variables that a text of describe() names, and unsets the others, for the process from now on. Throws Error
/// where it names one that is not known, or a value that is none.
void apply_algorithm_settings(std::string_view text);

}  // namespace timbre::device
