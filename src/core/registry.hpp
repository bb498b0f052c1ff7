// A table from names to the parts that answer to them. Parts register themselves from their own file:
//
//   const Registration<LayerType> lstm{"lstm", {...}};
//
// There is one registry per kind of part and process; it is filled before main and by device plug-ins.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace timbre {

template <class Entry>
class Registry {
 public:
  static Registry& instance() {
    static Registry registry;
    return registry;
  }
  void add(std::string name, Entry entry) {
    if (!entries_.emplace(name, std::move(entry)).second) throw std::logic_error("registered twice: " + name);
  }
  /// The entry, or nullptr where the name is unknown.
  const Entry* find(std::string_view name) const {
    const auto it = entries_.find(name);
    return it == entries_.end() ? nullptr : &it->second;
  }
  /// All names, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [name, entry] : entries_) out.push_back(name);
    return out;
  }

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

template <class Entry>
struct Registration {
  Registration(std::string name, Entry entry) {
    Registry<Entry>::instance().add(std::move(name), std::move(entry));
  }
};

}  // namespace timbre
