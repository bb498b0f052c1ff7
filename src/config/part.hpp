// Parts that a configuration chooses by name: `name`, or `name: {options}`.
//
//   optimizer: adam
//   optimizer: {adam: {learning_rate: 0.01}}
//
// A kind of part is a class T with
//   static constexpr auto kind      what messages call it: "optimizer"
//   virtual OptionsRef options()    the struct of options (core/part.hpp)
//   virtual config::Node dump()     {name: {every option}}
// Parts of the kind register a PartType<T> from their own file. A class derived from WithOptions<T, Options> has both
// functions; Options is a struct with a name and a schema.
// Errors: RequestError with the place, and the names that are known.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "config/schema.hpp"
#include "core/part.hpp"
#include "core/registry.hpp"

namespace timbre::config {

/// Entry of the registry of a kind of part.
template <class T>
struct PartType {
  Struct (*describe)();  // its options
  std::unique_ptr<T> (*parse)(const Reader& options);
};
template <class T>
using PartRegistry = Registry<PartType<T>>;

/// A part that was chosen.
template <class T>
class Part {
 public:
  /// With its default options.
  explicit Part(std::string name) : Part(from(Node::plain(std::move(name)))) {}
  static Part from(const Reader& reader) {
    const auto choice = reader.choice(T::kind, PartRegistry<T>::instance().names());
    return Part(PartRegistry<T>::instance().find(choice.name)->parse(choice.options()));
  }
  static Type describe() {
    std::vector<NamedPart> parts;
    for (const auto& name : PartRegistry<T>::instance().names())
      parts.push_back({name, PartRegistry<T>::instance().find(name)->describe()});
    return Type::part(T::kind, std::move(parts));
  }
  Node dump() const { return part_->dump(); }
  const T& operator*() const { return *part_; }
  const T* operator->() const { return part_.get(); }
  const T* get() const { return part_.get(); }

 private:
  explicit Part(std::unique_ptr<T> part) : part_(std::move(part)) {}
  std::shared_ptr<const T> part_;  // parts do not change: copies share it
};

/// A part of kind T that holds its options.
template <class T, class Options>
class WithOptions : public T {
 public:
  explicit WithOptions(Options options) : options_(std::move(options)) {}
  OptionsRef options() const override { return OptionsRef(options_); }
  Node dump() const override {
    auto node = Node::map();
    node.set(Options::part, schema(of<Options>{}).dump(options_));
    return node;
  }

 protected:
  Options options_;
};

/// Registers P, a part of kind T that is made from its options alone.
template <class T, class P, class Options>
struct PartRegistration {
  PartRegistration() {
    PartRegistry<T>::instance().add(Options::part,
                                    {[] { return schema(of<Options>{}).describe(); },
                                     [](const Reader& reader) -> std::unique_ptr<T> {
                                       return std::make_unique<P>(schema(of<Options>{}).parse(reader));
                                     }});
  }
};

}  // namespace timbre::config
