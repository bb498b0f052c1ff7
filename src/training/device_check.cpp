#include "training/device_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace timbre::training {

namespace {

double largest(std::span<const float> v) {
  double m = 0;
  for (const float x : v) m = std::isfinite(x) ? std::max(m, double(std::abs(x))) : m;
  return m;
}

/// Largest |a - b|; infinite where one of them is no number and the other is.
double largest_difference(std::span<const float> a, std::span<const float> b) {
  double worst = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double d = std::abs(double(a[i]) - b[i]);
    worst = std::isfinite(d) ? std::max(worst, d) : INFINITY;
  }
  return worst;
}

double over(double difference, double scale) { return difference == 0 ? 0 : difference / scale; }

class Comparison {
 public:
  explicit Comparison(CheckReport& report) : report_(report) {}
  void begin(std::int64_t step) { step_ = step, at_ = 0; }
  /// The same tensors in the same order in every step.
  void add(const std::string& layer, std::string what, double d, double tolerance) {
    if (at_ == report_.lines.size()) report_.lines.push_back({layer, std::move(what), 0, tolerance, 0});
    auto& line = report_.lines[at_++];
    line.difference = std::max(line.difference, d);
    if (d <= tolerance) return;
    if (line.first_step == 0) line.first_step = step_;
    if (!report_.first) report_.first = line;
  }

 private:
  CheckReport& report_;
  std::int64_t step_ = 0;
  std::size_t at_ = 0;
};

}  // namespace

CheckReport check_devices(const nn::Model& model, TrainingStep& reference, TrainingStep& other,
                          std::span<const std::vector<std::int32_t>> batches,
                          const CheckTolerances& tolerances) {
  CheckReport report;
  Comparison comparison(report);
  const auto& layers = model.layers();
  const auto part = [&](const std::vector<float>& arena, int parameter) {
    const auto& p = model.parameters()[std::size_t(parameter)];
    return std::span(arena).subspan(std::size_t(p.offset), std::size_t(p.spec.shape.size()));
  };
  auto before = reference.export_state().arena;
  for (std::size_t s = 0; s < batches.size() && !report.first; ++s) {
    comparison.begin(std::int64_t(s) + 1);
    for (auto* step : {&reference, &other}) step->train(batches[s]);
    const auto rows = std::int64_t(batches[s].size());
    const auto a = other.trace(rows), b = reference.trace(rows);
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (!a.outputs[i].empty())  // else the device computes it as one with the next
        comparison.add(layers[i].name, "output",
                       over(largest_difference(a.outputs[i], b.outputs[i]), largest(b.outputs[i])),
                       tolerances.output);

    for (std::size_t i = layers.size(); i-- > 0;) {
      const auto trainable = [&](int parameter) {
        return model.parameters()[std::size_t(parameter)].spec.trainable;
      };
      double scale = 0;
      for (const int parameter : layers[i].parameters)
        if (trainable(parameter)) scale = std::max(scale, largest(part(b.gradients, parameter)));
      for (const int parameter : layers[i].parameters)
        if (trainable(parameter))
          comparison.add(
              layers[i].name, "gradient of " + model.parameters()[std::size_t(parameter)].spec.name,
              over(largest_difference(part(a.gradients, parameter), part(b.gradients, parameter)), scale),
              tolerances.gradient);
    }

    auto state = reference.export_state();
    const auto of_other = other.export_state();
    for (const auto& layer : layers) {
      double difference = 0, update = 0;
      for (const int parameter : layer.parameters) {
        const auto x = part(of_other.arena, parameter), y = part(state.arena, parameter),
                   was = part(before, parameter);
        for (std::size_t k = 0; k < y.size(); ++k) {
          if (x[k] != y[k] && !(std::isnan(x[k]) && std::isnan(y[k])))
            difference += std::pow(double(x[k]) - y[k], 2);
          update += std::pow(double(y[k]) - was[k], 2);
        }
      }
      const double d = over(std::sqrt(difference), std::sqrt(update));
      if (!layer.parameters.empty())
        comparison.add(layer.name, "update", std::isnan(d) ? INFINITY : d, tolerances.update);
    }
    other.import_state(state);
    before = std::move(state.arena);
  }
  return report;
}

std::string describe(const CheckReport& report) {
  std::size_t a = 5, b = 4;
  for (const auto& l : report.lines) a = std::max(a, l.layer.size()), b = std::max(b, l.what.size());
  std::string out =
      fmt::format("{:<{}}  {:<{}}  {:>10}  {:>10}\n", "layer", a, "what", b, "difference", "allowed");
  for (const auto& l : report.lines)
    out += fmt::format("{:<{}}  {:<{}}  {:>10.2e}  {:>10.0e}{}\n", l.layer, a, l.what, b, l.difference,
                       l.tolerance, l.first_step ? fmt::format("  step {}", l.first_step) : "");
  if (report.first)
    out += fmt::format("the first to differ: {}, {}, in step {}: {:.2e}, and {:.0e} is allowed\n",
                       report.first->layer, report.first->what, report.first->first_step,
                       report.first->difference, report.first->tolerance);
  return out;
}

}  // namespace timbre::training
