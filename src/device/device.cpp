#include "device/device.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <mutex>

#include "core/error.hpp"

namespace timbre::device {

namespace {

const Registration<Backend> cpu{"cpu", {"the processor", [] { return std::string(); }}};

// Why there is no CUDA back end in the registry, if there is none.
std::string& cuda_load_error() {
  static std::string text = "the CUDA plug-in has not registered itself";
  return text;
}

}  // namespace

void load_plugins() {
  static std::once_flag once;
  std::call_once(once, [] {
    Dl_info self{};
    if (dladdr(reinterpret_cast<const void*>(&load_plugins), &self) == 0) return;
    const auto file = std::filesystem::path(self.dli_fname).parent_path() / "libtimbre_cuda.so";
    if (!std::filesystem::exists(file)) {
      cuda_load_error() = "this installation has no CUDA plug-in";
      return;
    }
    void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    auto* enter = handle ? reinterpret_cast<void (*)()>(dlsym(handle, "timbre_register_plugin")) : nullptr;
    if (enter) enter();
    else cuda_load_error() = std::string("the CUDA plug-in cannot be loaded: ") + dlerror();
  });
}

Choice choose(const std::string& requested) {
  if (requested == "cpu") return {"cpu", ""};
  load_plugins();
  const auto* cuda = BackendRegistry::instance().find("cuda");
  const std::string reason = cuda ? cuda->why_not() : cuda_load_error();
  if (reason.empty()) return {"cuda", ""};
  if (requested == "cuda") fail("device cuda cannot be used: {}", reason);
  return {"cpu", "device: cpu (" + reason + ")"};
}

}  // namespace timbre::device
