#include "run/classifier.hpp"

#include "run/predictor.hpp"

namespace timbre {

struct Classifier::State {
  ThreadPool pool;
  run::Predictor predictor;
  State(const std::filesystem::path& result, int threads) : pool(threads), predictor(result, pool) {}
};

Classifier::Classifier(const std::filesystem::path& result, int threads)
    : state_(std::make_unique<State>(result, threads)) {}
Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;

const std::vector<std::string>& Classifier::labels() const { return state_->predictor.label_names(); }
int Classifier::sample_rate() const { return state_->predictor.sample_rate(); }
std::vector<float> Classifier::classify(std::span<const float> samples) {
  return state_->predictor.predict(samples).probabilities;
}

}  // namespace timbre
