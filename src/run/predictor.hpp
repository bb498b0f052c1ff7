// A trained model at work on audio files: what `predict` does.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/parallel.hpp"
#include "core/shape.hpp"
#include "storage/door.hpp"

namespace timbre::run {

struct Prediction {
  std::vector<float> segments;       // [S, C], one row per segment
  std::vector<float> probabilities;  // [C], mean over segments
  std::int64_t count = 0;            // S
  double seconds = 0;                // length of the file
  std::int32_t best = 0;             // index of the largest mean
  std::vector<float> embeddings;     // [S, size of the layer's output], where embeddings are asked for
};

/// Loads the model of a result file once, then reads files as a stream: memory does not grow with their length.
class Predictor {
 public:
  /// device: where features and the network are computed, as device::choose gave it.
  /// Throws RequestError where the file is no result, Error where it holds no usable model.
  Predictor(const std::filesystem::path& result, ThreadPool& pool, const std::string& device = "cpu",
            const storage::Trust& trust = {});
  ~Predictor();
  const std::vector<std::string>& label_names() const;
  /// From now on predict() gives the output of a layer, too, computed on the CPU: by its name in the summary (dense_1), or its
  /// number from 0. Returns its shape. Throws RequestError that names the layers.
  Shape embed(const std::string& layer);
  /// Where a segment of a file begins, in seconds.
  double start_seconds(std::int64_t segment) const;
  bool synthetic() const;

  /// Resampled, cut, extracted and standardised as in training. Throws Error with a short reason: not audio,
  /// corrupt, shorter than one segment.
  Prediction predict(const std::filesystem::path& audio);
  /// The same of samples in memory, one channel at sample_rate().
  Prediction predict(std::span<const float> samples);
  int sample_rate() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace timbre::run
