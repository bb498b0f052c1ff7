#include "training/step.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::training {

void require_generators(const StepState& state, const std::string& kind, std::span<const std::size_t> sizes) {
  const auto& g = state.generators;
  if (g.empty()) return;
  const auto fits = [&](std::size_t i) { return g[i].size() == sizes[i]; };
  bool same = state.generator_kind == kind && g.size() == sizes.size();
  for (std::size_t i = 0; same && i < g.size(); ++i) same = fits(i);
  if (!same)
    fail_request(
        "the state holds the random numbers of {}, which do not go on here{}; go on there, or begin anew "
        "with --restart",
        printable(state.generator_kind), kind.empty() ? "" : " (" + kind + ")");
}

}  // namespace timbre::training
