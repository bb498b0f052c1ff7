// The CUDA back end for training on the stand-in device: what its tests share.
#pragma once

#include <gtest/gtest.h>

#include "cuda/plugin.hpp"
#include "cudnn.h"
#include "host/device.hpp"
#include "training/conformance.hpp"

namespace timbre::training {

using device::Environment;

class StandInTraining : public testing::TestWithParam<bool> {
 protected:
  static void SetUpTestSuite() {
    if (!device::BackendRegistry::instance().find("cuda")) timbre_register_plugin();
  }
  void SetUp() override {
    simt::device() = {}, simt::dnn() = {};
    simt::device().eager = GetParam();
  }
  void TearDown() override {
    EXPECT_EQ(simt::device().live, 0) << "something was not given back";
    EXPECT_EQ(simt::device().freed_in_use, 0) << "memory was given back while a copy used it";
    EXPECT_EQ(simt::device().on_wrong_device, 0) << "something was used on another device than its own";
    simt::device() = {}, simt::dnn() = {};
  }
};

/// Which LSTM, GRU and convolution the back end takes, for a while.
struct GruBy : Environment {
  explicit GruBy(const char* way) : Environment("TIMBRE_GRU", way) {}
};
struct LstmBy : Environment {
  explicit LstmBy(const char* way) : Environment("TIMBRE_LSTM", way) {}
};
struct ConvolutionBy : Environment {
  explicit ConvolutionBy(const char* way) : Environment("TIMBRE_CONV", way) {}
};

struct DropoutBy : Environment {
  explicit DropoutBy(const char* way) : Environment("TIMBRE_DROPOUT", way) {}
};

inline const ConformanceCase& case_of(const std::string& name) {
  static const auto cases = conformance_cases();
  return *std::find_if(cases.begin(), cases.end(), [&](const auto& c) { return c.name == name; });
}

}  // namespace timbre::training
