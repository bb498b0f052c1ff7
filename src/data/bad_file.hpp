// A clip that gives no rows, and why.
#pragma once

#include <string>

namespace timbre::data {

struct BadFile {
  std::string path, reason;
  bool operator==(const BadFile&) const = default;
};
template <class A>
void travel(A& parcel, BadFile& b) {
  parcel(b.path, b.reason);
}

}  // namespace timbre::data
