// A result file: read as a record and described; by another process where its bytes were bent.
#include "bent_hdf5.hpp"
#include "results/describe.hpp"
#include "target.hpp"

namespace {

using namespace timbre;

std::filesystem::path whole_result() {
  results::RunRecord r;
  r.experiment = "fuzz", r.key = "0123456789abcdef", r.version = "0.1.0";
  r.best_epoch = 1, r.weights_epoch = 1, r.epochs_run = 2, r.parameters = 8, r.trainable_parameters = 8;
  r.config = "experiment: fuzz\n";
  r.environment = {{"cpu", "A CPU"}};
  r.label_names = {"a", "b"};
  r.feature_mean = {1, 2}, r.feature_std = {1, 2};
  r.history = {{1, 2}, {2, 1}, {0.5, 1}, {2, 1}, {0.5, 1}, {1e-3, 1e-3}, {1, 1}};
  r.split.train = {0, 1}, r.split.validation = {2, 3}, r.split.test = {4, 5};
  const std::vector<std::int32_t> labels{0, 1}, clips{0, 1}, segments{0, 0};
  r.validation = results::evaluate(std::vector<float>{0.75f, 0.25f, 0.5f, 0.5f}, labels, clips, segments,
                                   {"a/1", "b/2"});
  r.test = r.validation;
  r.bad_files = {{"a/3", "is not audio"}};
  r.model_config =
      R"({"class_name": "Sequential", "config": {"name": "fuzz", "layers": [)"
      R"({"class_name": "InputLayer", "config": {"batch_input_shape": [null, 2], "name": "input_1"}},)"
      R"({"class_name": "Dense", "config": {"name": "dense", "units": 2}}]}})";
  r.weights = {{"dense", "kernel", {2, 2}, {1, 2, 3, 4}}, {"dense", "bias", {2}, {0, 0}}};
  const auto file = fuzz::folder() / "whole.h5";
  results::write_result(file, r);
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto whole = whole_result();
  const auto file = fuzz::folder() / "bent.h5";
  const auto bent = fuzz::bend(whole, file, {data, size});
  fuzz::allow_errors([&] {
    if (bent.bytes)
      results::read_result(file, true, {.unverified = true});
    else
      results::describe_result(results::read_result_here(file));
  });
  return 0;
}
