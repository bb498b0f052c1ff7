#include "evaluation/aggregate.hpp"

#include <algorithm>
#include <stdexcept>

#include "evaluation/metrics.hpp"

namespace timbre::evaluation {

ClipScores aggregate_clips(std::span<const float> probabilities, std::int64_t classes,
                           std::span<const std::int32_t> label, std::span<const std::int32_t> clip) {
  if (classes <= 0 || probabilities.size() != label.size() * classes || clip.size() != label.size())
    throw std::invalid_argument("probabilities, labels and clips of as many segments");
  ClipScores out;
  out.clip.assign(clip.begin(), clip.end());
  std::sort(out.clip.begin(), out.clip.end());
  out.clip.erase(std::unique(out.clip.begin(), out.clip.end()), out.clip.end());

  const auto clips = out.clip.size();
  out.label.assign(clips, -1);
  std::vector<double> sums(clips * classes);
  std::vector<std::int64_t> counts(clips);
  for (std::size_t row = 0; row < label.size(); ++row) {
    const auto k = std::lower_bound(out.clip.begin(), out.clip.end(), clip[row]) - out.clip.begin();
    out.row_clip.push_back(static_cast<std::int32_t>(k));
    if (counts[k]++ == 0)
      out.label[k] = label[row];
    else if (out.label[k] != label[row])
      throw std::invalid_argument("segments of one clip with two labels");
    for (std::int64_t c = 0; c < classes; ++c) sums[k * classes + c] += probabilities[row * classes + c];
  }
  for (std::size_t i = 0; i < sums.size(); ++i)
    out.probabilities.push_back(static_cast<float>(sums[i] / static_cast<double>(counts[i / classes])));
  out.prediction = predicted_classes(out.probabilities, classes);
  out.accuracy = accuracy(out.label, out.prediction);
  return out;
}

}  // namespace timbre::evaluation
