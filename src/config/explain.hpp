// A configuration's keys as a person reads them: what each does, its type, range, unit and default.
#pragma once

#include <string>
#include <string_view>

#include "config/description.hpp"

namespace timbre::config {

struct ExplainStyle {
  std::size_t columns = 80;
  bool emphasis = false;  // terminals' bold and dim for names and facts
};

/// Everything, map by map in the order of the file.
std::string explain(const Struct& root, const ExplainStyle& style);

/// One place (find() gave it): a key, or a part with its options.
std::string explain(const Place& place, const ExplainStyle& style);

/// Words wrapped to `columns`, each line after `indent` spaces; words are never cut.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns);

}  // namespace timbre::config
