#include "nn/backward_plan.hpp"

#include <algorithm>

namespace timbre::nn {

std::vector<bool> wanted_gradients(std::span<const LayerPassed> layers) {
  std::vector<bool> wanted{false};
  for (const auto& l : layers) {
    wanted.resize(std::size_t(l.to) + 1, false);
    wanted.back() = l.trains || wanted[std::size_t(l.from)] || (l.other >= 0 && wanted[std::size_t(l.other)]);
  }
  return wanted;
}

BackwardPlan plan_backward(std::span<const LayerPassed> layers, const std::vector<bool>& wanted) {
  const auto is_wanted = [&](int array) { return array >= 0 && wanted[std::size_t(array)]; };
  std::vector<int> holder(wanted.size(), -1);  // the buffer with the gradient of an array
  std::vector<bool> taken(2, false);
  const auto take = [&] {
    const auto free = std::find(taken.begin(), taken.end(), false);
    const auto i = free - taken.begin();
    if (free == taken.end()) taken.push_back(false);
    taken[std::size_t(i)] = true;
    return int(i);
  };
  BackwardPlan plan;
  holder.back() = take();
  for (std::size_t i = layers.size(); i-- > 0;) {
    const auto& l = layers[i];
    if (!is_wanted(l.to)) continue;
    BackwardStep step{.layer = i, .dy = holder[std::size_t(l.to)], .moves = l.moves};
    if (is_wanted(l.other)) holder[std::size_t(l.other)] = step.copy = take();
    bool moved = false;
    if (is_wanted(l.from)) {
      step.dx = l.moves ? step.dy : take();
      auto& of_input = holder[std::size_t(l.from)];
      if (of_input < 0) {
        of_input = step.dx, moved = l.moves;
      } else {
        step.add_to = of_input;
        taken[std::size_t(step.dx)] = false;
      }
    }
    if (!moved) taken[std::size_t(step.dy)] = false;
    plan.steps.push_back(step);
  }
  plan.buffers = int(taken.size());
  return plan;
}

}  // namespace timbre::nn
