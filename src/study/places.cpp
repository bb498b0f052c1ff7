#include "study/places.hpp"

#include "device/device.hpp"
#include "run/prepare.hpp"

namespace timbre::study {

ChosenDevices choose_devices(const Study& study, const std::vector<std::size_t>& runs,
                             const ScheduleOptions& options, run::Watcher& watcher) {
  auto wanted = options.devices;
  if (wanted.empty())
    for (const auto index : runs) wanted.push_back(study.runs[index].config.device);
  ChosenDevices chosen;
  for (const auto& device : wanted) {
    if (chosen.contains(device)) continue;
    const auto choice = device::choose(device);
    chosen[device] = choice.name;
    if (!choice.notice.empty()) watcher.line(choice.notice);
  }
  return chosen;
}

Places::Places(const Study& study, const std::vector<std::size_t>& runs, const ScheduleOptions& options,
               ChosenDevices devices, const std::function<std::int64_t(std::size_t run)>& rows)
    : study_(study), options_(options), devices_(std::move(devices)) {
  for (const auto index : runs)
    if (const auto& name = device(0, index); device::find(name).backend->memory_needed)
      needs_[index] = run::memory_needed(study.plan(study.runs[index]), rows(index), name);
}

const std::string& Places::device(int job, std::size_t run) const {
  if (options_.devices.empty()) return devices_.at(study_.runs[run].config.device);
  return devices_.at(options_.devices[std::size_t(job) % options_.devices.size()]);
}

std::int64_t Places::need(std::size_t run) const {
  const auto found = needs_.find(run);
  return found == needs_.end() ? 0 : found->second;
}

Admission Places::admission() const {
  std::map<std::string, std::optional<std::int64_t>> memory;
  for (const auto& [asked, name] : devices_) {
    const auto [backend, number] = device::find(name);
    memory[name] = std::nullopt;
    if (backend->free_memory) memory[name] = backend->free_memory(number);
  }
  return {memory, !options_.devices.empty()};
}

}  // namespace timbre::study
