// cuDNN's descriptors, set up by the library itself: they finalise, and are refused, without a GPU.
// (Everything that needs a handle is tested where there is one: tests/training/test_conformance.cpp.)
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "core/error.hpp"
#include "cuda/support/dnn.hpp"

namespace timbre::cuda {
namespace {

constexpr LstmShape shapes[] = {{20, 130, 13, 128}, {1, 1, 1, 1}, {64, 1292, 128, 300}};

TEST(CudnnDescriptors, OfSequencesHoldTheirShape) {
  for (const auto& s : shapes) {
    const LstmDescriptors d(s);
    for (const auto& [descriptor, size] : {std::pair(d.x.get(), s.inputs), std::pair(d.y.get(), s.units)}) {
      cudnnDataType_t type{};
      cudnnRNNDataLayout_t layout{};
      int steps = 0, rows = 0, vector = 0;
      std::vector<int> lengths(std::size_t(s.rows), 0);
      float padding = 0;
      ASSERT_EQ(cudnnGetRNNDataDescriptor(descriptor, &type, &layout, &steps, &rows, &vector, s.rows,
                                          lengths.data(), &padding),
                CUDNN_STATUS_SUCCESS);
      EXPECT_EQ(type, CUDNN_DATA_FLOAT);
      EXPECT_EQ(layout, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED);
      EXPECT_EQ((std::array{steps, rows, vector}), (std::array{s.steps, s.rows, size}));
      EXPECT_EQ(lengths, std::vector<int>(std::size_t(s.rows), s.steps));
    }
    cudnnDataType_t type{};
    int rank = 0;
    std::array<int, 3> extents{}, strides{};
    ASSERT_EQ(cudnnGetTensorNdDescriptor(d.state, 3, &type, &rank, extents.data(), strides.data()),
              CUDNN_STATUS_SUCCESS);
    EXPECT_EQ(rank, 3);
    EXPECT_EQ(extents, (std::array{1, s.rows, s.units}));
    EXPECT_EQ(strides, (std::array{s.rows * s.units, s.units, 1}));
  }
}

TEST(CudnnDescriptors, OfLstmsFinaliseForBothAlgorithmsWithoutTf32) {
  for (const auto& s : shapes)
    for (const auto algorithm : {CUDNN_RNN_ALGO_STANDARD, CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H}) {
      const RnnDescriptor rnn;
      ASSERT_EQ(set_lstm(rnn, algorithm, s, nullptr), CUDNN_STATUS_SUCCESS);
      cudnnRNNAlgo_t set{};
      cudnnRNNMode_t cell{};
      cudnnRNNBiasMode_t biases{};
      cudnnDirectionMode_t direction{};
      cudnnRNNInputMode_t input{};
      cudnnDataType_t type{}, precision{};
      cudnnMathType_t math{};
      std::int32_t inputs = 0, hidden = 0, projected = 0, layers = 0;
      cudnnDropoutDescriptor_t dropout{};
      std::uint32_t flags = 1;
      ASSERT_EQ(cudnnGetRNNDescriptor_v8(rnn, &set, &cell, &biases, &direction, &input, &type, &precision,
                                         &math, &inputs, &hidden, &projected, &layers, &dropout, &flags),
                CUDNN_STATUS_SUCCESS);
      EXPECT_EQ(set, algorithm);
      EXPECT_EQ(cell, CUDNN_LSTM);
      EXPECT_EQ(biases, CUDNN_RNN_DOUBLE_BIAS);
      EXPECT_EQ(math, CUDNN_FMA_MATH);
      EXPECT_EQ(type, CUDNN_DATA_FLOAT);
      EXPECT_EQ(precision, CUDNN_DATA_FLOAT);
      EXPECT_EQ((std::array{inputs, hidden, projected, layers}), (std::array{s.inputs, s.units, s.units, 1}));
    }
}

TEST(CudnnDescriptors, PersistentLstmsTakeTwoBiasesOnly) {
  // Why Timbre uses the mode with two biases, of which one stays zero.
  for (const auto mode : {CUDNN_RNN_NO_BIAS, CUDNN_RNN_SINGLE_INP_BIAS, CUDNN_RNN_SINGLE_REC_BIAS}) {
    const RnnDescriptor rnn;
    EXPECT_EQ(
        cudnnSetRNNDescriptor_v8(rnn, CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H, CUDNN_LSTM, mode,
                                 CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT, CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT,
                                 CUDNN_FMA_MATH, 13, 128, 128, 1, nullptr, CUDNN_RNN_PADDED_IO_DISABLED),
        CUDNN_STATUS_NOT_SUPPORTED);
  }
}

TEST(CudnnDescriptors, WrongShapesAreErrorsThatShowTheCall) {
  try {
    const LstmDescriptors d({0, 5, 3, 2});
    FAIL();
  } catch (const Error& e) {
    const std::string text = e.what();
    EXPECT_TRUE(text.starts_with("cuDNN: cudnnSetRNNDataDescriptor(x, ") &&
                text.find("BAD_PARAM") != text.npos && text.find("(dnn.cpp:") != text.npos)
        << text;
  }
}

}  // namespace
}  // namespace timbre::cuda
