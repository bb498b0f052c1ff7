// Which run may begin on which device: as many side by side as have room in its memory.
//
// A run is admitted where what it needs and what the runs there need fit into the device's memory together. One that fits
// into none goes to the largest, alone: its data may stream, and what fails for memory says so. Not for several threads at
// once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace timbre::study {

class Admission {
 public:
  /// memory: of each device, in bytes; nothing: without a limit. any_device: a run may go to each of them, and not to one of
  /// its own alone.
  Admission(const std::map<std::string, std::optional<std::int64_t>>& memory, bool any_device);

  enum class Answer {
    now,
    later,  // when a run there has ended
    never   // another device has room for it, and this one has not
  };
  /// Of a run that needs so many bytes.
  Answer ask(const std::string& device, std::int64_t bytes) const;
  void begin(const std::string& device, std::int64_t bytes);
  void end(const std::string& device, std::int64_t bytes);

 private:
  struct Device {
    std::optional<std::int64_t> memory;
    std::int64_t used = 0;
    int running = 0;
  };
  std::map<std::string, Device> devices_;
  bool any_device_;
};

}  // namespace timbre::study
