// Names of config/ for headers that declare a schema and define none: kernel sources include those, and can include
// neither fmt nor yaml-cpp.
#pragma once

namespace timbre::config {

struct Node;
struct Struct;
struct Type;
class Reader;
template <class S>
class Schema;

/// Tag that finds a struct's schema by argument-dependent lookup.
template <class T>
struct of {};

}  // namespace timbre::config
