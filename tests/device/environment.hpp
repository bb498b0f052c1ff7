// An environment variable that a back end reads, for a while.
#pragma once

#include <cstdlib>

namespace timbre::device {

/// Sets it; in the end it is unset. For one thread.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Environment() { unsetenv(name_); }
  Environment(const Environment&) = delete;

 private:
  const char* name_;
};

}  // namespace timbre::device
