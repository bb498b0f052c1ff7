// Convolutions as Timbre describes them to cuDNN, by the library itself, for every convolution of configs/: descriptors and
// the shape of y need no GPU. (Work spaces, algorithms and all that runs are tested on the stand-in, and where there is a GPU
// by tests/training/test_conformance.cpp.)
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "core/error.hpp"
#include "cuda/support/dnn_convolution.hpp"
#include "features/engine.hpp"
#include "nn/layers/conv2d.hpp"
#include "nn/model.hpp"
#include "run/run_config.hpp"

namespace timbre::cuda {
namespace {

struct Configured {
  std::string name;
  nn::Window2D window;
  std::int64_t batch, filters;
  Shape output;
};

std::vector<Configured> configured_convolutions() {
  std::vector<Configured> all;
  const std::filesystem::path folder = std::string(TIMBRE_SOURCE_DIR) + "/configs";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".yaml") continue;
    const auto config = run::load_run_config(file.path(), {});
    if (config.features.external) continue;  // whose shapes a table says
    const auto samples = config.dataset.segment_samples(config.features.sample_rate);
    const auto model =
        nn::Model::parse(config::Reader(config.model.node, "model"),
                         features::feature_shape(config.features, samples), 10, config.regularisation);
    for (std::size_t i = 0; i < model.layers().size(); ++i) {
      const auto& entry = model.layers()[i];
      if (entry.layer->type() != "conv2d") continue;
      const auto options = entry.layer->options();
      const auto& conv = options.as<nn::Conv2DOptions>();
      all.push_back({file.path().filename().string() + ", layer " + std::to_string(i),
                     nn::window_of(conv, entry.input), config.training.batch_size, conv.filters,
                     entry.output});
    }
  }
  return all;
}

TEST(CudnnConvolutions, OfEveryConfigurationGiveKerasShapes) {
  const auto all = configured_convolutions();
  ASSERT_GE(all.size(), 6u);
  for (const auto& c : all)
    for (const std::int64_t rows : {std::int64_t{1}, c.batch, std::int64_t{256}}) {
      SCOPED_TRACE(c.name);
      const auto shape = convolution_shape(c.window, rows, c.filters);
      const ConvolutionDescriptors d(shape);  // which asks cuDNN for the shape of y
      EXPECT_EQ(Shape({shape.out_h, shape.out_w, shape.filters}), c.output);
      int n = 0, k = 0, h = 0, w = 0;
      ASSERT_EQ(cudnnGetConvolution2dForwardOutputDim(d.convolution, d.x, d.w, &n, &k, &h, &w),
                CUDNN_STATUS_SUCCESS);
      EXPECT_EQ(n, rows);
      EXPECT_EQ(Shape({h, w, k}), c.output);
    }
}

TEST(CudnnConvolutions, AreChannelsLastWithoutTf32) {
  const auto window = nn::window_over({65, 7, 32}, {3, 3}, {1, 1}, "valid", "kernel");
  const ConvolutionDescriptors d(convolution_shape(window, 20, 16));
  cudnnDataType_t type{};
  int n = 0, c = 0, h = 0, w = 0, ns = 0, cs = 0, hs = 0, ws = 0;
  ASSERT_EQ(cudnnGetTensor4dDescriptor(d.x, &type, &n, &c, &h, &w, &ns, &cs, &hs, &ws), CUDNN_STATUS_SUCCESS);
  EXPECT_EQ((std::array{n, c, h, w}), (std::array{20, 32, 65, 7}));
  EXPECT_EQ((std::array{ns, cs, hs, ws}), (std::array{65 * 7 * 32, 1, 7 * 32, 32}));
  cudnnTensorFormat_t format{};
  ASSERT_EQ(cudnnGetFilter4dDescriptor(d.w, &type, &format, &n, &c, &h, &w), CUDNN_STATUS_SUCCESS);
  EXPECT_EQ((std::array{n, c, h, w}), (std::array{16, 32, 3, 3}));
  EXPECT_EQ(format, CUDNN_TENSOR_NHWC);
  cudnnMathType_t math{};
  ASSERT_EQ(cudnnGetConvolutionMathType(d.convolution, &math), CUDNN_STATUS_SUCCESS);
  EXPECT_EQ(math, CUDNN_FMA_MATH);
}

TEST(CudnnConvolutions, ArePaddedBeforeWhereTheEndsDiffer) {
  for (const std::int64_t kernel : {1, 2, 3, 4, 5})
    for (const std::int64_t stride : {1, 2, 3})
      for (const std::int64_t size : {5, 8, 13}) {
        // (The width needs no padding, and its last column is out of reach where the size is even.)
        const auto window = nn::window_over({size, size, 2}, {kernel, 1}, {stride, 2}, "same", "kernel");
        const auto shape = convolution_shape(window, 3, 4);
        EXPECT_EQ(shape.padded_before, window.h.before != window.h.after);
        EXPECT_EQ(shape.height, shape.padded_before ? window.h.padded() : size);
        EXPECT_EQ(shape.width, size);
        const ConvolutionDescriptors d(shape);
      }
}

TEST(CudnnConvolutions, WhatCudnnSeesOtherwiseIsAnError) {
  auto shape = convolution_shape(nn::window_over({9, 7, 3}, {3, 2}, {2, 1}, "valid", "kernel"), 5, 4);
  shape.out_w += 1;
  EXPECT_THROW(ConvolutionDescriptors{shape}, Error);
  shape.out_w = 0;
  EXPECT_THROW(ConvolutionDescriptors{shape}, Error);
}

}  // namespace
}  // namespace timbre::cuda
