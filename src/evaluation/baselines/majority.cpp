#include "evaluation/baselines/baselines.hpp"

namespace timbre::evaluation {

Baseline majority(const BaselineData& data) {
  std::vector<double> counts(static_cast<std::size_t>(data.classes));
  for (const auto l : data.train_label) ++counts[static_cast<std::size_t>(l)];
  Baseline out{.name = baseline_names[0], .parameters = data.classes};
  for (std::int64_t row = 0; row < data.test.rows; ++row)
    for (const double n : counts)
      out.probabilities.push_back(static_cast<float>(n / static_cast<double>(data.train_label.size())));
  return out;
}

}  // namespace timbre::evaluation
