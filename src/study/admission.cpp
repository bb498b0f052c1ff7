#include "study/admission.hpp"

#include <algorithm>

namespace timbre::study {

Admission::Admission(const std::map<std::string, std::optional<std::int64_t>>& memory, bool any_device)
    : any_device_(any_device) {
  for (const auto& [name, bytes] : memory) devices_[name].memory = bytes;
}

Admission::Answer Admission::ask(const std::string& device, std::int64_t bytes) const {
  const auto& here = devices_.at(device);
  if (!here.memory || here.used + bytes <= *here.memory) return Answer::now;
  if (bytes > *here.memory) {
    const bool larger = any_device_ && std::ranges::any_of(devices_, [&](const auto& other) {
                          return !other.second.memory || *other.second.memory > *here.memory;
                        });
    if (larger) return Answer::never;
    if (here.running == 0) return Answer::now;
  }
  return Answer::later;
}

void Admission::begin(const std::string& device, std::int64_t bytes) {
  auto& here = devices_.at(device);
  here.used += bytes, ++here.running;
}

void Admission::end(const std::string& device, std::int64_t bytes) {
  auto& here = devices_.at(device);
  here.used -= bytes, --here.running;
}

}  // namespace timbre::study
