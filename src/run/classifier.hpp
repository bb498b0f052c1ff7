// The public header of Timbre for other programs: a trained network at work on samples in memory. It stands alone, and is
// installed as <timbre/classifier.hpp>; find_package(Timbre) gives the target Timbre::timbre.
//
//   timbre::Classifier genres("result.h5");
//   const auto p = genres.classify(samples);   // one channel at genres.sample_rate(), between -1 and 1
//   genres.labels()[i] has the probability p[i]
//
// Samples are cut into segments as in training; the result is the mean over them. The same samples give the same numbers as
// the command `predict`. One object is for one thread at a time; several objects may work side by side.
// Errors: exceptions derived from std::runtime_error, whose message is one line: no such file, not a result, no network in
// it, fewer samples than one segment, samples that are not finite.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace timbre {

class Classifier {
 public:
  /// Loads result.h5 of a run, or what import_model wrote. threads: 0 is one per core.
  explicit Classifier(const std::filesystem::path& result, int threads = 1);
  ~Classifier();
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  /// The genres, in the order of the probabilities.
  const std::vector<std::string>& labels() const;
  /// In Hz.
  int sample_rate() const;
  /// The probability of each label; they add up to 1.
  std::vector<float> classify(std::span<const float> samples);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace timbre
