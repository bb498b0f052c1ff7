#include "device/device.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::device {

namespace {

std::string& cuda_load_error() {
  static std::string text;
  return text;
}

/// A back end whose plug-in cannot be loaded is known with the reason.
void register_without_plugin(std::string why) {
  cuda_load_error() = std::move(why);
  BackendRegistry::instance().add(
      "cuda", {.why_not = [](int) { return cuda_load_error(); }, .count = [] { return 0; }});
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Folders where a CUDA Toolkit may keep its libraries, those named by the person first.
std::vector<std::filesystem::path> toolkit_folders() {
  std::vector<std::filesystem::path> folders;
  const auto named = environment("TIMBRE_CUDA_LIBRARIES");
  for (std::size_t begin = 0; begin < named.size();) {
    const auto end = std::min(named.find(':', begin), named.size());
    if (end > begin) folders.emplace_back(named.substr(begin, end - begin));
    begin = end + 1;
  }
  for (const auto& root :
       {environment("CUDA_HOME"), environment("CUDA_PATH"), std::string("/usr/local/cuda")})
    for (const char* below : {"lib64", "lib", "targets/x86_64-linux/lib"})
      if (!root.empty()) folders.push_back(std::filesystem::path(root) / below);
  return folders;
}

/// Loads `library` (its name as the linker asks for it) from one of the toolkit's folders, if it is there. What has
/// been loaded so is found by those that need it.
bool preload(const std::string& library) {
  for (const auto& folder : toolkit_folders())
    if (dlopen((folder / library).c_str(), RTLD_NOW | RTLD_GLOBAL)) return true;
  return false;
}

/// dlopen; each library that is missing is looked for in the toolkit's folders.
void* open_plugin(const std::filesystem::path& file, std::string& error) {
  for (std::string before;;) {
    if (void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
    error = dlerror();
    // "libcufft.so.12: cannot open shared object file: No such file or directory"
    const auto missing = error.substr(0, error.find(':'));
    if (missing == before || missing.find('/') != missing.npos || !preload(missing)) return nullptr;
    before = missing;
  }
}

}  // namespace

void load_plugins() {
  static std::once_flag once;
  std::call_once(once, [] {
    Dl_info self{};
    if (dladdr(reinterpret_cast<const void*>(&load_plugins), &self) == 0) return;
    const auto file = std::filesystem::path(self.dli_fname).parent_path() / "libtimbre_cuda.so";
    if (!std::filesystem::exists(file))
      return register_without_plugin("this installation has no CUDA plug-in");
    std::string error;
    void* handle = open_plugin(file, error);
    auto* enter = handle ? reinterpret_cast<void (*)()>(dlsym(handle, "timbre_register_plugin")) : nullptr;
    if (enter)
      enter();
    else
      register_without_plugin("the CUDA plug-in cannot be loaded: " +
                              (handle ? std::string(dlerror()) : error));
  });
}

namespace {

/// Without a back end where the name is none.
Device try_find(std::string_view name) {
  const auto colon = name.find(':');
  const auto* backend = BackendRegistry::instance().find(name.substr(0, colon));
  int number = 0;
  if (colon != name.npos) {
    const auto digits = name.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size() || number < 0) backend = nullptr;
  }
  return {backend, number};
}

}  // namespace

Device find(std::string_view name) {
  const auto found = try_find(name);
  if (!found.backend) throw std::logic_error("no device '" + std::string(name) + "'");
  return found;
}

Choice choose(const std::string& requested) {
  if (requested == "cpu") return {"cpu", ""};
  load_plugins();
  if (requested != "auto") {
    const auto [backend, number] = try_find(requested);
    if (!backend)
      fail_request("there is no device {}; there are auto, cpu, cuda and cuda:N", printable(requested));
    if (const auto reason = backend->why_not(number); !reason.empty())
      fail("device {} cannot be used: {}", requested, reason);
    // (cuda:0 and cuda are one.)
    return {number == 0 ? backend_of(requested) : requested,
            "device: " + requested + " (" + backend->describe(number) + ")"};
  }
  const auto& backends = BackendRegistry::instance();
  std::string reasons;
  for (const auto& name : backends.names()) {
    if (name == "cpu") continue;
    const auto& backend = *backends.find(name);
    for (int number = 0; number < std::max(1, backend.count()); ++number) {
      const auto reason = backend.why_not(number);
      // Who did not ask for it should know that it is young.
      if (reason.empty()) {
        const auto chosen = number == 0 ? name : fmt::format("{}:{}", name, number);
        return {chosen,
                fmt::format("device: {} ({}); this back end has met no GPU yet: --device check compares it "
                            "with the CPU, --device cpu leaves it out",
                            chosen, backend.describe(number))};
      }
      reasons += (reasons.empty() ? "" : "; ") + reason;
    }
  }
  return {"cpu", "device: cpu (" + reasons + ")"};
}

}  // namespace timbre::device
