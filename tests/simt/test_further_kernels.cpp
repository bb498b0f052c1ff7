// Kernels of the layers, losses and augmentations that have no reference of their own in test_layer_kernels.cpp: each trains a
// small network for some steps as the CPU does (whose numbers are held to Keras), in every order of threads.
#include <gtest/gtest.h>

#include "kernel_harness.hpp"
#include "stand_in_training.hpp"

namespace timbre::training {
namespace {

TEST(FurtherKernels, TrainAsTheCpuInEveryOrderOfThreads) {
  if (!device::BackendRegistry::instance().find("cuda")) timbre_register_plugin();
  simt::device() = {}, simt::dnn() = {};
  const GruBy own_kernels("own");
  int tried = 0;
  for (const auto& c : conformance_cases()) {
    if (!c.further) continue;
    ++tried;
    for (const auto order : cuda::every_order) {
      SCOPED_TRACE(c.name + ": " + c.model + ", " + simt::name_of(order));
      const cuda::Running running(order);
      ConformanceSetup setup(c);
      const auto cpu = setup.step("cpu"), other = setup.step("cuda");
      for (auto* s : {cpu.get(), other.get()}) train_steps(*s, 2);
      expect_same_state(setup.model, other->export_state(), cpu->export_state(), 1e-4);
      const auto rows = all_rows(23);
      EXPECT_LE(difference(other->evaluate(rows).probabilities, cpu->evaluate(rows).probabilities), 1e-4);
    }
  }
  EXPECT_GE(tried, 20);
}

}  // namespace
}  // namespace timbre::training
