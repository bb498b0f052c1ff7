#include "experiment/device_check.hpp"

#include <cstdio>

#include "core/error.hpp"
#include "device/device.hpp"
#include "training/device_check.hpp"

namespace timbre::experiment {

void check_device(const Plan& plan, const RunOptions& options, std::int64_t steps) {
  const auto device = device::choose("cuda");
  ThreadPool pool(options.threads);
  Console console;
  console.line(device.notice);
  const auto features = load_plan_features(plan, options, pool, console);
  const auto seed = std::uint64_t(plan.config.seed);
  const auto split = data::make_split(plan.config.split, features, seed);
  const auto rows = open_rows(features);
  if (plan.config.features.standardise)
    rows->standardise(data::fit_standardisation(*rows, features.shape[1], split.train, pool));

  const auto& t = plan.config.training;
  const auto make = [&](const std::string& name) {
    auto step =
        training::make_step(name, {&plan.model, t.loss.get(), t.optimizer.get(), t.batch_size, seed}, pool);
    step->bind(*rows, features.label.data());
    return step;
  };
  const auto cpu = make("cpu"), other = make(device.name);
  for (const auto& note : other->notes()) console.line(note);
  // The first batches of the first epoch, and its last, smaller one.
  const auto order = training::epoch_order(split.train, seed, 0, t.shuffle);
  const auto count = piece_count(std::int64_t(order.size()), t.batch_size);
  std::vector<std::vector<std::int32_t>> batches;
  for (std::int64_t b = 0; b < count; ++b)
    if (b < steps - 1 || b == count - 1) {
      const auto first = order.begin() + b * t.batch_size;
      batches.emplace_back(first, order.end() - first > t.batch_size ? first + t.batch_size : order.end());
    }
  const auto report = training::check_devices(plan.model, *cpu, *other, batches);
  std::fputs(describe(report).c_str(), stdout);
  if (report.first)
    fail("cpu and {} differ in {} ({}) by {:.2e}, and {:.0e} is allowed", device.name, report.first->layer,
         report.first->what, report.first->difference, report.first->tolerance);
  std::printf("cpu and %s agree over %zu steps\n", device.name.c_str(), batches.size());
}

}  // namespace timbre::experiment
