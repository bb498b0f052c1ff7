#include "device/device.hpp"

#include "core/error.hpp"

namespace timbre::device {

namespace {

const Registration<Backend> cpu{"cpu", {"the processor", [] { return std::string(); }}};

}  // namespace

Choice choose(const std::string& requested) {
  if (requested == "cpu") return {"cpu", ""};
  const auto* cuda = BackendRegistry::instance().find("cuda");
  const std::string reason = cuda ? cuda->why_not() : "this build has no CUDA back end";
  if (reason.empty()) return {"cuda", ""};
  if (requested == "cuda") fail("device cuda cannot be used: {}", reason);
  return {"cpu", ""};
}

}  // namespace timbre::device
