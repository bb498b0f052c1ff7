#include "run/device_check.hpp"

#include "core/error.hpp"
#include "device/device.hpp"
#include "run/prepare.hpp"

namespace timbre::run {

DeviceComparison compare_devices(const Plan& plan, const RunOptions& options, Watcher& watcher,
                                 std::int64_t steps) {
  const auto device = device::choose("cuda");
  ThreadPool pool(options.threads);
  watcher.line(device.notice);
  const auto features = load_plan_features(plan, options, pool, watcher);
  const auto seed = std::uint64_t(plan.config.seed);
  const auto split = data::make_split(plan.config.split, features, seed);
  const auto prepared = prepare(plan, features, split, pool);
  const auto make = [&](const std::string& name) {
    return make_step(plan, prepared, features, split, name, pool);
  };
  const auto& t = plan.config.training;
  const auto cpu = make("cpu"), other = make(device.name);
  for (const auto& note : other->notes()) watcher.line(note);
  if (!other->export_state().generators.empty())
    fail_request(
        "--device check compares what dropout leaves, too, and TIMBRE_DROPOUT=cudnn draws masks of its own");
  // The first batches of the first epoch, and its last, smaller one.
  const auto order = training::epoch_order(split.train, seed, 0, t.shuffle);
  const auto count = piece_count(std::int64_t(order.size()), t.batch_size);
  std::vector<std::vector<std::int32_t>> batches;
  for (std::int64_t b = 0; b < count; ++b)
    if (b < steps - 1 || b == count - 1) {
      const auto first = order.begin() + b * t.batch_size;
      batches.emplace_back(first, order.end() - first > t.batch_size ? first + t.batch_size : order.end());
    }
  auto report = training::check_devices(plan.model, *cpu, *other, batches);
  for (const auto& note : other->notes()) watcher.line(note);
  return {device.name, std::move(report), batches.size()};
}

void DeviceComparison::require_agreement() const {
  if (const auto& first = report.first)
    fail("cpu and {} differ in {} ({}) by {:.2e}, and {:.0e} is allowed", device, first->layer, first->what,
         first->difference, first->tolerance);
}

}  // namespace timbre::run
