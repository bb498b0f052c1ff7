// cuDNN's descriptors, set up by the library itself: they finalise, and are refused, without a GPU.
// (Everything that needs a handle is tested where there is one: tests/training/test_conformance.cpp.)
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "core/error.hpp"
#include "cuda/support/dnn.hpp"
#include "cuda/support/dnn_dropout.hpp"

namespace timbre::cuda {
namespace {

constexpr RnnShape shapes[] = {{20, 130, 13, 128},
                               {1, 1, 1, 1},
                               {64, 1292, 128, 300},
                               {20, 130, 13, 128, 2},
                               {20, 130, 13, 128, 1, CUDNN_GRU},
                               {256, 32, 64, 32, 1, CUDNN_GRU},
                               {4, 9, 3, 200, 1, CUDNN_GRU}};

TEST(CudnnDescriptors, OfSequencesHoldTheirShape) {
  for (const auto layout : {RnnLayout::packed, RnnLayout::padded})
    for (const auto& s : shapes) {
      const RnnDescriptors d(s, layout);
      for (const auto& [descriptor, size] : {std::pair(d.x.get(), s.inputs), std::pair(d.y.get(), s.units)}) {
        cudnnDataType_t type{};
        cudnnRNNDataLayout_t lies{};
        int steps = 0, rows = 0, vector = 0;
        std::vector<int> lengths(std::size_t(s.rows), 0);
        float padding = 0;
        ASSERT_EQ(cudnnGetRNNDataDescriptor(descriptor, &type, &lies, &steps, &rows, &vector, s.rows,
                                            lengths.data(), &padding),
                  CUDNN_STATUS_SUCCESS);
        EXPECT_EQ(type, CUDNN_DATA_FLOAT);
        EXPECT_EQ(lies, layout == RnnLayout::packed ? CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED
                                                    : CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED);
        EXPECT_EQ((std::array{steps, rows, vector}), (std::array{s.steps, s.rows, size}));
        EXPECT_EQ(lengths, std::vector<int>(std::size_t(s.rows), s.steps));
      }
      cudnnDataType_t type{};
      int rank = 0;
      std::array<int, 3> extents{}, strides{};
      ASSERT_EQ(cudnnGetTensorNdDescriptor(d.state, 3, &type, &rank, extents.data(), strides.data()),
                CUDNN_STATUS_SUCCESS);
      EXPECT_EQ(rank, 3);
      EXPECT_EQ(extents, (std::array{s.layers, s.rows, s.units}));
      EXPECT_EQ(strides, (std::array{s.rows * s.units, s.units, 1}));
    }
}

TEST(CudnnDescriptors, OfRnnsFinaliseForBothAlgorithmsWithoutTf32) {
  for (const auto layout : {RnnLayout::packed, RnnLayout::padded})
    for (const auto& s : shapes)
      for (const auto algorithm : {CUDNN_RNN_ALGO_STANDARD, CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H}) {
        const RnnDescriptor rnn;
        ASSERT_EQ(set_rnn(rnn, algorithm, layout, s, nullptr), CUDNN_STATUS_SUCCESS);
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
        EXPECT_EQ(cell, s.cell);
        EXPECT_EQ(biases, CUDNN_RNN_DOUBLE_BIAS);
        EXPECT_EQ(math, CUDNN_FMA_MATH);
        EXPECT_EQ(type, CUDNN_DATA_FLOAT);
        EXPECT_EQ(precision, CUDNN_DATA_FLOAT);
        EXPECT_EQ((std::array{inputs, hidden, projected, layers}),
                  (std::array{s.inputs, s.units, s.units, s.layers}));
        EXPECT_EQ(flags,
                  layout == RnnLayout::packed ? CUDNN_RNN_PADDED_IO_DISABLED : CUDNN_RNN_PADDED_IO_ENABLED);
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

TEST(CudnnDescriptors, OfDropoutSayWhatIsKeptForBackward) {
  for (const std::int64_t count :
       {std::int64_t{1}, std::int64_t{31}, std::int64_t{20 * 64}, std::int64_t{256 * 512}}) {
    const FlatDescriptor x(count);
    const auto bytes = dropout_reserve_bytes(x);
    EXPECT_GE(bytes, std::size_t(count + 7) / 8) << count;  // a bit for each, at least
    EXPECT_LE(bytes, std::size_t(count) * 4 + 256) << count;
  }
  EXPECT_THROW(FlatDescriptor{std::int64_t{1} << 31}, Error);
}

TEST(CudnnDescriptors, OfDropoutWithARateNeedADevice) {
  const DropoutDescriptor d;
  EXPECT_NE(cudnnSetDropoutDescriptor(d, nullptr, 0.5f, nullptr, 0, 1), CUDNN_STATUS_SUCCESS);
}

TEST(CudnnDescriptors, WrongShapesAreErrorsThatShowTheCall) {
  try {
    const RnnDescriptors d({0, 5, 3, 2}, RnnLayout::packed);
    FAIL();
  } catch (const Error& e) {
    const std::string text = e.what();
    EXPECT_TRUE(text.starts_with("cuDNN: set(x, s.inputs): ") && text.find("BAD_PARAM") != text.npos &&
                text.find("(dnn.cpp:") != text.npos)
        << text;
  }
}

}  // namespace
}  // namespace timbre::cuda
