// Parts and what computes them. A part (a layer, a loss, an optimizer) has a struct of options, which names it:
//
//   struct DenseOptions {
//     static constexpr auto part = "dense";
//     ...
//   };
//
// A device adds its implementation of the part from the implementation's own file, and gets the struct itself:
//
//   const CpuOps::Add<DenseCpu, DenseOptions> cpu;   // made as DenseCpu(const DenseOptions&, const LayerBinding&)
//
// Errors: std::logic_error where the options are another part's, which is a mistake in the program.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <typeinfo>

#include "core/registry.hpp"

namespace timbre {

/// The options of a part that is not known here. It refers to the part's own, and must not outlive them.
class OptionsRef {
 public:
  template <class Options>
  explicit OptionsRef(const Options& options)
      : part_(Options::part), type_(&typeid(Options)), options_(&options) {}
  /// The part's name in a configuration: "dense".
  std::string_view part() const { return part_; }
  template <class Options>
  const Options& as() const {
    if (*type_ != typeid(Options))
      throw std::logic_error("options of " + std::string(part_) + " where those of " + Options::part +
                             " are asked for");
    return *static_cast<const Options*>(options_);
  }

 private:
  std::string_view part_;
  const std::type_info* type_;
  const void* options_;
};

/// A part with a function make(), which may choose among several classes.
template <class Part>
concept MadeByFunction = requires {
  &Part::make;
};

/// The implementations of one kind of part on one device, by the parts' names.
template <class Base, class... Arguments>
struct Implementations {
  using Make = std::unique_ptr<Base> (*)(const OptionsRef&, Arguments...);
  using Registry = timbre::Registry<Make>;

  /// The part's implementation, or nullptr where this device has none.
  static std::unique_ptr<Base> make(const OptionsRef& options, Arguments... arguments) {
    const auto* entry = Registry::instance().find(options.part());
    return entry ? (*entry)(options, arguments...) : nullptr;
  }

  /// Adds Part, made by Part::make(options, arguments...) where it has that, else by its constructor.
  template <class Part, class Options>
  struct Add {
    Add() { Registry::instance().add(Options::part, make); }

   private:
    static std::unique_ptr<Base> make(const OptionsRef& options, Arguments... arguments) {
      if constexpr (MadeByFunction<Part>)
        return Part::make(options.as<Options>(), arguments...);
      else
        return std::make_unique<Part>(options.as<Options>(), arguments...);
    }
  };
};

}  // namespace timbre
