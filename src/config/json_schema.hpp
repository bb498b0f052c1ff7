// A configuration as a JSON Schema (draft 7, which editors read): with it, an editor completes and checks a YAML file.
//
// It says what can be said of each key by itself; conditions over several keys, shapes and files are left to the run.
// What the program accepts, the schema accepts, but for yes, no, on and off, which are no booleans in YAML 1.2.
// Source: https://json-schema.org/draft-07/schema.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/description.hpp"

namespace timbre::config {

/// A node with the types that YAML 1.2 gives it.
nlohmann::ordered_json to_json(const Node& node);

nlohmann::ordered_json json_schema(const Struct& root, const std::string& title);

/// Of one key, or of a part's options.
nlohmann::ordered_json json_schema(const Place& place);

}  // namespace timbre::config
